// What a scenario's addresses do: /s/SCENARIO/ authorize, token, refresh, exchange, revoke, me, lookup, stolen.
import { changed, standard } from "./answers.mjs";
import { asForm, faults, send } from "./faults.mjs";
import { CLIENT, SCOPES } from "./scenario.mjs";
import { Refusal, exactly, invalidGrant, once, parameters, proven } from "./strict.mjs";

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {URL} url
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {string} body
 * @property {import("node:http").ServerResponse} response
 * @property {string} origin
 * @property {string} base the path of this instance of the scenario
 * @property {import("./scenario.mjs").Wire} wire
 * @property {ReturnType<import("./tokens.mjs").createTokens>} tokens
 * @property {(at: string) => string | undefined} injected the fault that the test wants next at this endpoint
 * @property {Record<string, unknown>} entry of the log
 */

const ANY = /^.+$/s;
const JSON_TYPE = { "content-type": "application/json", "cache-control": "no-store" };

/** @type {Record<string, (call: Call) => unknown>} */
const endpoints = { "": fragmentPage, authorize, token, refresh: token, exchange, revoke, me, lookup, stolen: () => ({ error: "this request should not have come here" }) };

/** @param {string} action @param {Call} call */
export async function answer(action, call) {
  try {
    const endpoint = endpoints[action];
    if (!endpoint || (action === "" && !call.wire.fragment)) throw new Refusal("there is nothing here", { status: 404, error: "not_found" });
    const said = await endpoint(call);
    if (said) send(call.response, { status: 200, headers: JSON_TYPE, body: JSON.stringify(said) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    call.entry.refused = error.message;
    send(call.response, { status: error.status, headers: { ...JSON_TYPE, ...error.headers }, body: JSON.stringify({ error: error.error, error_description: error.message }) });
  }
}

function demandMethod({ method }, wanted) {
  if (method !== wanted) throw new Refusal(`the method is ${method}, not ${wanted}`, { status: 405 });
}

const renamer = ({ rename = {} }) => (/** @type {string} */ name) => rename[name] ?? name;

/** Consents at once, and redirects. */
function authorize(call) {
  const { wire, url, tokens, response, entry, origin, base } = call;
  demandMethod(call, "GET");
  const named = renamer(wire);
  const given = once(url.searchParams);
  entry.parameters = given;
  const demanded = {
    response_type: "code", [named("client_id")]: CLIENT.id, [named("redirect_uri")]: /^https?:\/\/.+$/, [named("state")]: ANY, [named("scope")]: ANY,
    ...(wire.pkce !== false && { code_challenge: /^[A-Za-z0-9_-]{43}$/, code_challenge_method: "S256" }),
    ...wire.authorizeAlso,
  };
  for (const name of wire.authorizeLacks ?? []) delete demanded[name];
  exactly(given, demanded);
  const scopes = given[named("scope")].split(wire.joined ?? " ");
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
  if (unknown.length > 0) throw new Refusal(`unknown scopes: ${unknown.join(" | ")}`, { error: "invalid_scope" });
  if (inject(call, "authorize", wire.authorizeFault)) return undefined;

  const back = new URL(given[named("redirect_uri")]);
  const code = tokens.consent({ redirectUri: given[named("redirect_uri")], challenge: given.code_challenge, scopes });
  const said = { [named("code")]: code, [named("state")]: given[named("state")], ...wire.redirectAlso, ...wire.redirectInstead };
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined) back.searchParams.set(name, value.replace("{issuer}", `${origin}${base}`));
  }
  response.writeHead(302, { location: back.href, "cache-control": "no-store" }).end();
  return undefined;
}

/** The page of an app whose routes stand behind the `#`: hands the request on. */
function fragmentPage({ url, response, base }) {
  if (url.search) throw new Refusal("the parameters stand before the #, not behind it");
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(`<!DOCTYPE html><title>App</title><script>
const [route, query] = location.hash.slice(1).split("?");
if (route === "/oauth/authorize") location.replace("${base}/authorize?" + query);
else document.body.append("There is no such page.");
</script>`);
}

/** The code's exchange, and the refresh. */
async function token(call) {
  const { wire, url, headers, tokens, entry } = call;
  demandMethod(call, "POST");
  const given = parameters(wire.sentAs ?? "form", call);
  entry.parameters = given;
  for (const [name, value] of Object.entries(wire.headers ?? {})) {
    if (headers[name] !== value) throw new Refusal(`the header ${name} is not ${value}`);
  }
  const named = renamer(wire);
  const refreshing = given.grant_type === "refresh_token";
  const family = refreshing ? tokens.present(given[named("refresh_token")] ?? "") : undefined;
  const rest = proven(wire.proof ?? "basic", given, headers.authorization, named);
  const path = refreshing ? (wire.refreshAt ?? "token") : "token";
  if (!url.pathname.endsWith(`/${path}`)) throw new Refusal(`this belongs to ${path}`);

  if (!refreshing) {
    const verifier = wire.pkce !== false && { code_verifier: /^[A-Za-z0-9._~-]{43,128}$/ };
    exactly(rest, { grant_type: "authorization_code", [named("code")]: ANY, [named("redirect_uri")]: ANY, ...verifier, ...wire.exchangeAlso });
    const work = () => tokens.trade(rest[named("code")], rest[named("redirect_uri")], rest.code_verifier);
    return carryOut(call, inject(call, "exchange") ?? wire.exchangeFault, work, () => {});
  }
  if (wire.longLived) throw new Refusal("here nothing is renewed by a refresh token");
  exactly(rest, { grant_type: "refresh_token", [named("refresh_token")]: ANY, ...wire.refreshAlso });
  const refreshToken = rest[named("refresh_token")];
  if (family) family.refreshes += 1;
  const fault = inject(call, "refresh") ?? wire.refreshFaults?.[(family?.refreshes ?? 1) - 1];
  if (family && wire.notBefore && Date.now() - family.issuedAt < wire.notBefore * 1000) throw new Refusal("too early: the access token is still fresh", { error: "too_early" });
  return carryOut(call, fault, () => tokens.renew(refreshToken), () => family && (family.ended = true));
}

/** A short-lived token becomes a long-lived one, and that a fresh one. */
async function exchange(call) {
  const { wire, tokens, entry, headers } = call;
  if (!wire.longLived) throw new Refusal("there is nothing here", { status: 404, error: "not_found" });
  demandMethod(call, "GET");
  const given = parameters("query", call);
  entry.parameters = given;
  const rest = proven("body", given, headers.authorization);
  exactly(rest, { grant_type: "fb_exchange_token", fb_exchange_token: ANY });
  tokens.present(rest.fb_exchange_token);
  return carryOut(call, inject(call, "refresh"), () => tokens.prolong(rest.fb_exchange_token), () => tokens.revoke(rest.fb_exchange_token));
}

/** Does what a token request asks for, or answers by a fault, or both. */
async function carryOut(call, name, work, endFamily) {
  const { response, tokens, entry, origin, base } = call;
  const fault = name && name !== "well" ? faults[name] : undefined;
  if (fault) entry.fault = name;
  const done = !fault || fault.processed ? tokenAnswer(call, work) : { status: 200, headers: {}, body: "" };
  if (!fault) return send(response, done);
  await fault.run({ response, answer: done, delay: tokens.settings.delay_ms, elsewhere: stolenAt(origin, base), endFamily });
  return undefined;
}

function tokenAnswer({ wire, headers, tokens }, work) {
  let issued;
  try {
    issued = work();
  } catch (error) {
    throw invalidGrant(/** @type {Error} */ (error).message);
  }
  const shape = wire.answer ?? (wire.joined ? changed(({ scopes }) => ({ scope: scopes.join(wire.joined) })) : standard);
  const said = shape(issued);
  const second = /** @type {any} */ (said).authed_user?.access_token;
  if (second) tokens.alias(issued.access, second);
  const body = JSON.stringify(said);
  const status = wire.status ?? 200;
  if (wire.formAlways || (wire.formUnlessJson && !headers.accept?.includes("application/json"))) {
    return { status, headers: { "content-type": "application/x-www-form-urlencoded" }, body: asForm(body) };
  }
  return { status, headers: JSON_TYPE, body };
}

/** RFC 7009, or what the scenario has in its place. */
function revoke(call) {
  const { wire, headers, tokens, entry, response } = call;
  const { method = "POST", sentAs = "form", proof, tokenAs = "token", status = 200 } = wire.revocation ?? {};
  demandMethod(call, method);
  if (proof === "bearer") {
    entry.parameters = parameters("query", call);
    exactly(/** @type {Record<string, string>} */ (entry.parameters), {});
    if (inject(call, "revoke", wire.revokeFault)) return undefined;
    if (!tokens.revoke(bearer(headers))) throw new Refusal("the access token is unknown", { error: "invalid_token", status: 401 });
  } else {
    const given = parameters(sentAs, call);
    entry.parameters = given;
    const rest = proven(proof ?? wire.proof ?? "basic", given, headers.authorization);
    const { token_type_hint: hint, ...bare } = rest;
    exactly(sentAs === "form" && tokenAs === "token" ? bare : rest, { [tokenAs]: ANY });
    if (inject(call, "revoke", wire.revokeFault)) return undefined;
    tokens.revoke(rest[tokenAs]);
  }
  response.writeHead(status).end();
  return undefined;
}

const bearer = (headers) => /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1] ?? "";

/** Whose token it is. */
function me(call) {
  if (inject(call, "me")) return undefined;
  const family = call.tokens.owner(bearer(call.headers));
  if (!family) throw new Refusal("the access token is unknown or has ended", { error: "invalid_token", status: 401 });
  return { login: family.user, scopes: family.scopes };
}

function lookup(call) {
  if (inject(call, "lookup", call.wire.lookupFault)) return undefined;
  if (!call.tokens.owner(bearer(call.headers))) throw new Refusal("the access token is unknown or has ended", { error: "invalid_token", status: 401 });
  return call.wire.lookup ?? [];
}

/** On another host, as far as a client can tell. */
const stolenAt = (origin, base) => `${origin.replace("127.0.0.1", "localhost")}${base}/stolen`;

/**
 * The fault that comes next at this endpoint. At the token endpoint its name is returned, for `carryOut`; elsewhere
 * it is answered here, and nothing else happens.
 * @param {Call} call @param {string} at @param {string} [otherwise]
 */
function inject(call, at, otherwise) {
  const name = call.injected(at) ?? otherwise;
  if (at === "exchange" || at === "refresh") return name;
  if (!name || name === "well") return undefined;
  const { response, tokens, entry, origin, base } = call;
  entry.fault = name;
  const plain = { status: 200, headers: JSON_TYPE, body: JSON.stringify({ login: tokens.settings.user }) };
  faults[name].run({ response, answer: plain, delay: tokens.settings.delay_ms, elsewhere: stolenAt(origin, base), endFamily: () => {} });
  return name;
}
