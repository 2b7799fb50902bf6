// What a scenario is: how the server behaves (`wire`, in words of its own, so that it does not lean on what it checks),
// what the catalog says of such a provider (`oauth`), and how that has to end.

/** The one client. Its id and secret tell whether and how they were encoded. */
export const CLIENT = { id: "patchbay+test", secret: "s3cr3t/+= %&" };
export const SCOPES = ["read", "write"];
export const USER = "alice@example.com";

/**
 * @typedef {object} Tokens what the server gives out at one time
 * @property {string} access
 * @property {string} refresh
 * @property {string[]} scopes
 * @property {number} lifetime seconds
 * @property {Date} ends
 * @property {boolean} renewed by a refresh, not by a code
 *
 * @typedef {object} Wire how the server behaves. Left out: as RFC 6749 says, with PKCE, and HTTP Basic as its section 2.3.1 has it
 * @property {"form" | "json" | "query"} [sentAs] the parameters of token requests
 * @property {"basic" | "basicRaw" | "body" | "none"} [proof] how the client proves itself
 * @property {string} [joined] what stands between scopes
 * @property {boolean} [pkce] demanded, or else refused
 * @property {Record<string, string>} [rename] standard parameters and their names here
 * @property {Record<string, string>} [authorizeAlso] further parameters that are demanded
 * @property {string[]} [authorizeLacks] standard parameters that are refused
 * @property {boolean} [fragment] the authorization request stands behind the `#`
 * @property {Record<string, string>} [exchangeAlso]
 * @property {Record<string, string>} [refreshAlso]
 * @property {Record<string, string>} [headers] demanded at the token endpoint
 * @property {Record<string, string>} [redirectAlso] further parameters of the redirect; `{origin}` is filled in
 * @property {Record<string, string | undefined>} [redirectInstead] replaces, or with `undefined` leaves out, what stands in it
 * @property {"token" | "refresh"} [refreshAt] the path
 * @property {boolean} [longLived] the token is traded for a long-lived one, and renewed, by GET at `exchange`
 * @property {number} [notBefore] seconds after issue in which a refresh is refused
 * @property {boolean} [refreshIssuesNothing] the tokens stay as they are, for longer
 * @property {"keeps" | "rotates" | "punishes" | "forgives"} [reuse] what becomes of a refresh token that was used (tokens.mjs)
 * @property {string[]} [grants] scopes that are granted, whatever was asked for
 * @property {number} [status] of a token answer
 * @property {(tokens: Tokens) => Record<string, unknown>} [answer] the body of a token answer
 * @property {boolean} [formUnlessJson] answers as a form to whoever does not accept JSON
 * @property {boolean} [formAlways] answers as a form, whatever is accepted
 * @property {{ method?: string, sentAs?: "form" | "json", proof?: "basic" | "bearer", tokenAs?: string, status?: number }} [revocation]
 * @property {unknown} [lookup] what the look-up answers
 * @property {string} [authorizeFault] name in faults.mjs, each time
 * @property {string} [exchangeFault] each time
 * @property {string[]} [refreshFaults] of the first, second, ... refresh of each connection; after them all goes well
 * @property {string} [lookupFault]
 * @property {string} [revokeFault]
 *
 * @typedef {object} Expectation what a good client knows when it has connected
 * @property {number} [lifetime] seconds
 * @property {string[]} [scopes] granted
 * @property {Record<string, string>} [captured]
 * @property {"new" | "kept" | "none"} [refresh_token] after the refreshes: one from the last answer, the first one, or there is none
 * @property {number} [retry_after] seconds
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about one sentence
 * @property {string} row the deviation or fault it is an example of
 * @property {Wire} wire
 * @property {Record<string, unknown>} oauth the catalog's section, but for the addresses
 * @property {Record<string, string>} addresses paths, by the field that stands in the section for the address
 * @property {string} exchange how connecting ends
 * @property {string[]} refresh how one refresh after the other ends
 * @property {string} [revoke] how revoking ends
 * @property {Expectation} expect
 */

/**
 * @param {string} name
 * @param {string} row
 * @param {string} about
 * @param {{ wire?: Wire, oauth?: Record<string, unknown>, addresses?: Record<string, string>, exchange?: string, refresh?: string[], revoke?: string, expect?: Expectation }} [more]
 * @returns {Scenario}
 */
export function scenario(name, row, about, { wire = {}, oauth = {}, addresses = {}, exchange = "connected", refresh, revoke, expect = {} } = {}) {
  const below = (path) => `/s/${name}/${path}`;
  const connected = exchange === "connected";
  const section = { authorize_url: "{authorize_url}", token_url: "{token_url}", revoke: connected ? { url: "{revoke_url}" } : undefined, scopes: SCOPES.map(words), ...oauth };
  const revocable = section.revoke !== undefined;
  return {
    name, row, about, wire, oauth: section,
    addresses: {
      authorize_url: below("authorize"), token_url: below("token"), base_url: `/s/${name}`,
      ...(revocable && { revoke_url: below("revoke") }),
      ...Object.fromEntries(Object.entries(addresses).map(([field, path]) => [field, path ? below(path) : `/s/${name}`])),
    },
    exchange, refresh: refresh ?? (connected ? ["renewed"] : []),
    ...(revocable && { revoke: revoke ?? "revoked" }),
    expect: connected ? { lifetime: 3600, scopes: SCOPES, refresh_token: "kept", ...expect } : expect,
  };
}

/** A scope as the catalog has it. */
export const words = (scope) => ({ scope, allows: `Let Patchbay ${scope} what is yours` });
