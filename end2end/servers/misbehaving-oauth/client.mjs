// A good client, as small as it can be, that knows a provider by the catalog's section alone. It proves that each
// scenario can be passed, and is what the product's own client is measured against.
import { createHash, randomBytes } from "node:crypto";
import { CLIENT } from "./scenario.mjs";

const LIMIT = 256 * 1024;
const REDIRECT = "https://patchbay.example/oauth/callback";

/** How an attempt ended otherwise than well. */
export class Ended extends Error {
  /** @param {string} verdict @param {number} [retryAfter] seconds */
  constructor(verdict, retryAfter) {
    super(verdict);
    this.retryAfter = retryAfter;
  }
}

const encoded = (text) => new URLSearchParams([["", text]]).toString().slice(1);
const at = (json, pointer) => pointer.split("/").slice(1).reduce((found, part) => found?.[part], json);

/**
 * @param {import("./scenario.mjs").Scenario} scenario
 * @param {string} origin
 * @param {{ patience?: number, instance?: string }} [options] `patience`: milliseconds to wait for an answer
 */
export function client({ name, oauth, addresses }, origin, { patience = 2000, instance = name } = {}) {
  /** @type {any} */
  const section = oauth;
  const named = (parameter) => section.names?.[parameter] ?? parameter;
  const address = (template) => template.replace(/^\{(\w+)\}$/, (_, field) => `${origin}${addresses[field].replace(`/s/${name}`, `/s/${instance}`)}`);
  const fill = (templates = {}, values = {}) => Object.fromEntries(Object.entries(templates).map(([key, text]) => [key, text.replace(/\{(\w+)\}/g, (_, id) => values[id])]));
  const told = { access_token: "/access_token", refresh_token: "/refresh_token", expires: "/expires_in", expires_as: "seconds", scope: "/scope", error: "/error", ...section.answer };

  async function send(url, init) {
    try {
      const answer = await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(patience) });
      const chunks = [];
      let size = 0;
      for await (const chunk of answer.body ?? []) {
        size += chunk.length;
        if (size > LIMIT) throw new Error("too long");
        chunks.push(chunk);
      }
      return { status: answer.status, headers: answer.headers, text: Buffer.concat(chunks).toString() };
    } catch {
      throw new Ended("transient");
    }
  }

  function proof(authentication) {
    const { id, secret } = CLIENT;
    if (authentication === "basic") return { headers: { authorization: `Basic ${btoa(`${encoded(id)}:${encoded(secret)}`)}` } };
    if (authentication === "basic_raw") return { headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` } };
    return { fields: { [named("client_id")]: id, ...(authentication === "body" && { [named("client_secret")]: secret }) } };
  }

  function request(url, method, kind, fields, headers) {
    const pairs = new URLSearchParams(fields);
    if (kind === "query") return send(pairs.size ? `${url}?${pairs}` : url, { method, headers });
    const json = kind === "json";
    return send(url, { method, headers: { "content-type": json ? "application/json" : "application/x-www-form-urlencoded", ...headers }, body: json ? JSON.stringify(fields) : pairs.toString() });
  }

  function ask(url, fields) {
    const { headers, fields: own } = proof(section.client_authentication ?? "basic");
    return request(url, "POST", section.token_body ?? "form", { ...fields, ...own }, { accept: "application/json", ...headers, ...section.token_headers });
  }

  /** What an answer of the token endpoint means. */
  function understood({ status, headers, text }) {
    const wait = headers.get("retry-after");
    const retryAfter = wait ? (/^\d+$/.test(wait) ? Number(wait) : Math.round((Date.parse(wait) - Date.now()) / 1000)) : undefined;
    let json;
    try {
      const form = headers.get("content-type")?.includes("x-www-form-urlencoded");
      json = form ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text);
    } catch {
      throw new Ended("transient", retryAfter);
    }
    const error = at(json, told.error);
    const verdict = told.errors?.[error] ?? error;
    if (status < 500 && ["invalid_grant", "invalid_client"].includes(verdict)) throw new Ended(verdict);
    const good = Object.entries(told.good ?? {}).every(([pointer, values]) => values.includes(at(json, pointer)));
    if (status < 200 || status > 299 || !good) throw new Ended("transient", retryAfter);
    return json;
  }

  function lifetime(json) {
    const raw = at(json, told.expires);
    if (raw === undefined) return told.assumed_lifetime;
    const [days, hours, minutes] = String(raw).split(":").map(Number);
    const until = (moment) => Math.round((moment - Date.now()) / 1000);
    switch (told.expires_as) {
      case "milliseconds": return Number(raw) / 1000;
      case "epoch_seconds": return until(Number(raw) * 1000);
      case "epoch_milliseconds": return until(Number(raw));
      case "iso8601": return until(Date.parse(raw));
      case "days_hours_minutes": return days * 86_400 + hours * 3600 + minutes * 60;
      default: return Number(raw);
    }
  }

  function tokens(json, held = {}) {
    const access = at(json, told.access_token);
    if (!access) throw new Ended(held.access && section.refresh?.may_be_empty ? "unchanged" : "transient");
    const listed = at(json, told.scope)?.split(told.scope_separator ?? section.scope_separator ?? " ");
    const scopes = listed?.map((one) => section.scopes.find(({ granted_as }) => granted_as?.includes(one))?.scope ?? one) ?? held.scopes;
    return { ...held, access, refresh: at(json, told.refresh_token) || held.refresh, lifetime: lifetime(json), scopes };
  }

  function capture(from, source) {
    const captured = /** @type {Record<string, string>} */ ({});
    for (const { id, from: where, at: place, hosts, required = true, secret } of section.captures ?? []) {
      if (where !== from) continue;
      const value = from === "redirect" ? source[place] : at(source, place);
      if (value === undefined && required) throw new Ended("capture_missing");
      if (value !== undefined && hosts && !within(value, hosts)) throw new Ended("capture_refused");
      if (value !== undefined && !secret) captured[id] = value;
    }
    return captured;
  }

  async function authorize(verifier, state) {
    const scopes = section.scopes.map(({ scope }) => scope).join(section.scope_separator ?? " ");
    const standard = { response_type: "code", client_id: CLIENT.id, redirect_uri: REDIRECT, state, scope: scopes };
    const kept = Object.entries(standard).filter(([key]) => !section.authorize_omits?.includes(key)).map(([key, value]) => [named(key), value]);
    const challenge = { code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" };
    const query = new URLSearchParams({ ...Object.fromEntries(kept), ...(section.pkce !== false && challenge), ...section.authorize_parameters });
    // The page behind the # does the same in a browser.
    const answer = await send(`${address(section.authorize_url)}?${query}`.replace("#/oauth/", ""), { method: "GET" });
    const location = answer.headers.get("location");
    if (!location) throw new Ended("no_return");
    return Object.fromEntries(new URL(location).searchParams);
  }

  return {
    /** Connects; fails with [`Ended`]. */
    async connect() {
      const [verifier, state] = [randomBytes(32).toString("base64url"), randomBytes(16).toString("base64url")];
      const back = await authorize(verifier, state);
      if (back[named("state")] !== state) throw new Ended("state_wrong");
      if (section.issuer_promised && back.iss === undefined) throw new Ended("issuer_missing");
      if (section.issuer && back.iss !== undefined && back.iss !== address(section.issuer)) throw new Ended("issuer_wrong");
      const code = back[named("code")];
      if (back.error || !code) throw new Ended(back.error === "access_denied" ? "refused" : "provider_error");
      const captured = capture("redirect", back);
      const fields = { grant_type: "authorization_code", [named("code")]: code, [named("redirect_uri")]: REDIRECT, ...(section.pkce !== false && { code_verifier: verifier }), ...section.token_parameters };
      const json = understood(await ask(address(section.token_url), fields));
      let held = tokens(json, { scopes: section.scopes.map(({ scope }) => scope) });
      Object.assign(captured, capture("token", json));
      if (section.exchange) held = await this.prolong(held);
      if (section.lookup) {
        const answer = await send(address(section.lookup.url), { headers: { authorization: `Bearer ${held.access}` } });
        Object.assign(captured, capture("lookup", understood(answer)));
      }
      return { ...held, captured };
    },
    async prolong(held) {
      const { url, parameters } = section.exchange;
      const values = { access_token: held.access, client_id: CLIENT.id, client_secret: CLIENT.secret };
      return tokens(understood(await request(address(url), "GET", "query", fill(parameters, values), {})), held);
    },
    async refresh(held) {
      if (section.refresh?.by === "access_token") return this.prolong(held);
      const fields = { grant_type: "refresh_token", [named("refresh_token")]: held.refresh, ...section.refresh_parameters };
      return tokens(understood(await ask(address(section.refresh_url ?? section.token_url), fields)), held);
    },
    async revoke(held) {
      const { url, method = "POST", token: which = "best", authentication = "client", body = "form", parameters, done = [200] } = section.revoke;
      const presented = which === "access_token" ? held.access : (held.refresh ?? held.access);
      const own = authentication === "bearer" ? { headers: { authorization: `Bearer ${held.access}` } } : proof(authentication === "client" ? (section.client_authentication ?? "basic") : authentication);
      const fields = authentication === "bearer" ? {} : { ...fill(parameters ?? { token: "{token}" }, { token: presented }), ...own.fields };
      const { status } = await request(address(url), method, authentication === "bearer" ? "query" : body, fields, own.headers);
      if (!done.includes(status)) throw new Ended("transient");
    },
  };
}

function within(value, hosts) {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || url.protocol !== "https:" || url.username || url.password || url.port) return false;
  return hosts.some((host) => (host.startsWith("*.") ? url.hostname.endsWith(host.slice(1)) : url.hostname === host));
}
