// Takes a request apart, and refuses all that is not exactly in the scenario's form. A refusal says why in plain words.
import { CLIENT } from "./scenario.mjs";

/** Why a request is refused, and what OAuth calls it. */
export class Refusal extends Error {
  /** @param {string} reason @param {{ error?: string, status?: number, headers?: Record<string, string> }} [more] */
  constructor(reason, { error = "invalid_request", status = 400, headers = {} } = {}) {
    super(reason);
    this.error = error;
    this.status = status;
    this.headers = headers;
  }
}

export const invalidGrant = (reason) => new Refusal(reason, { error: "invalid_grant" });
const invalidClient = (reason) => new Refusal(reason, { error: "invalid_client", status: 401, headers: { "www-authenticate": 'Basic realm="token"' } });

/** @param {URLSearchParams} pairs @returns {Record<string, string>} */
export function once(pairs) {
  const found = /** @type {Record<string, string>} */ ({});
  for (const [name, value] of pairs) {
    if (name in found) throw new Refusal(`${name} stands there twice`);
    found[name] = value;
  }
  return found;
}

/**
 * The parameters of a request that are sent in the one way the server takes.
 * @param {"form" | "json" | "query"} sentAs
 * @param {{ method?: string, headers: import("node:http").IncomingHttpHeaders, url: URL, body: string }} request
 */
export function parameters(sentAs, { headers, url, body }) {
  const type = headers["content-type"]?.split(";")[0].trim().toLowerCase();
  if (sentAs === "query") {
    if (body) throw new Refusal("there is a body, but the parameters belong in the query");
    return once(url.searchParams);
  }
  if (url.search) throw new Refusal("there is a query, but the parameters belong in the body");
  if (sentAs === "form") {
    if (type !== "application/x-www-form-urlencoded") throw new Refusal(`the body is ${type ?? "of no type"}, not a form`);
    return once(new URLSearchParams(body));
  }
  if (type !== "application/json") throw new Refusal(`the body is ${type ?? "of no type"}, not JSON`);
  let found;
  try {
    found = JSON.parse(body);
  } catch {
    throw new Refusal("the body is no JSON");
  }
  const flat = found && typeof found === "object" && !Array.isArray(found) && Object.values(found).every((value) => typeof value === "string");
  if (!flat) throw new Refusal("the body is no JSON object of texts");
  return /** @type {Record<string, string>} */ (found);
}

/**
 * Checks the client's proof, and returns the parameters without it.
 * @param {"basic" | "basicRaw" | "body" | "none"} proof
 * @param {Record<string, string>} given
 * @param {string | undefined} authorization
 * @param {(name: string) => string} named what a standard parameter is called here
 */
export function proven(proof, given, authorization, named = (name) => name) {
  const { [named("client_id")]: id, [named("client_secret")]: secret, ...rest } = given;
  if (proof === "basic" || proof === "basicRaw") {
    if (id !== undefined || secret !== undefined) throw new Refusal("the client stands among the parameters, but belongs in the Authorization header alone");
    checkBasic(authorization, proof === "basicRaw");
    return rest;
  }
  if (authorization) throw new Refusal("there is an Authorization header, but the client belongs among the parameters");
  if (id !== CLIENT.id) throw invalidClient(`${named("client_id")} is ${id === undefined ? "missing" : "wrong"}`);
  if (proof === "none" && secret !== undefined) throw new Refusal("there is a secret, but the client is public");
  if (proof === "body" && secret !== CLIENT.secret) throw invalidClient(`${named("client_secret")} is ${secret === undefined ? "missing" : "wrong"}`);
  return rest;
}

function checkBasic(authorization, raw) {
  const [, coded] = /^Basic ([A-Za-z0-9+/]+=*)$/.exec(authorization ?? "") ?? [];
  if (!coded) throw invalidClient("there is no Authorization header of the kind Basic");
  const text = Buffer.from(coded, "base64").toString();
  const colon = text.indexOf(":");
  const pair = [text.slice(0, colon), text.slice(colon + 1)];
  const [id, secret] = raw ? pair : pair.map(decoded);
  if (id !== CLIENT.id || secret !== CLIENT.secret) throw invalidClient(`id or secret is wrong, or not ${raw ? "as it is" : "form-urlencoded"}`);
}

function decoded(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/**
 * Refuses parameters that are missing, more, or other than demanded.
 * @param {Record<string, string>} given
 * @param {Record<string, string | RegExp>} demanded
 */
export function exactly(given, demanded) {
  for (const [name, value] of Object.entries(demanded)) {
    const found = given[name];
    if (found === undefined) throw new Refusal(`${name} is missing`);
    const fits = typeof value === "string" ? found === value : value.test(found);
    if (!fits) throw new Refusal(`${name} is not ${value}`);
  }
  const more = Object.keys(given).filter((name) => !(name in demanded));
  if (more.length > 0) throw new Refusal(`not expected: ${more.join(", ")}`);
}
