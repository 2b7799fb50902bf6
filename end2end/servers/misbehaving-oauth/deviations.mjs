// What providers do differently: every row of the table of deviations.
import { randomBytes } from "node:crypto";
import { changed, daysHoursMinutes, expiring, standard, withOffset } from "./answers.mjs";
import { scenario, words } from "./scenario.mjs";

const epoch = ({ ends }) => Math.floor(ends.getTime() / 1000);
const expires_at = "/expires_at";
/** An answer that tells the expiry in its own way. */
const expiry = (name, about, answer, as, pointer = expires_at) =>
  scenario(name, "how the expiry is told", about, { wire: { answer }, oauth: { answer: { expires: pointer, expires_as: as } } });

const TENANT = { id: "tenant", at: "/tenant", from: "token" };
const captures = (...list) => ({ captures: list });
const all = { client_id: "client_key", client_secret: "client_pass", redirect_uri: "callback", state: "nonce", scope: "permissions", code: "auth_code", refresh_token: "renewal" };

export const deviations = [
  scenario("plain", "none", "As RFC 6749 says; the refresh token stays."),

  scenario("scopes-comma", "scopes joined by comma or plus", "Scopes are joined by commas, in the answer too.", { wire: { joined: "," }, oauth: { scope_separator: "," } }),
  scenario("scopes-plus", "scopes joined by comma or plus", "Scopes are joined by plus signs, which a query carries as %2B.", { wire: { joined: "+" }, oauth: { scope_separator: "+" } }),
  scenario("scopes-answered-by-comma", "scopes joined by comma or plus", "Asked for with spaces, answered with commas.", {
    wire: { answer: changed(({ scopes }) => ({ scope: scopes.join(",") })) }, oauth: { answer: { scope_separator: "," } },
  }),
  scenario("scope-left-out", "granted scopes", "The answer names no scopes: as asked for (RFC 6749, section 5.1).", { wire: { answer: changed(() => ({ scope: undefined })) } }),
  scenario("scope-missing", "granted scopes", "Less is granted than was asked for.", { wire: { grants: ["read"] }, expect: { scopes: ["read"] } }),
  scenario("scope-other-name", "granted scopes", "A granted scope has another name.", {
    wire: { answer: changed(({ scopes }) => ({ scope: scopes.map((scope) => `https://api.example/${scope}`).join(" ") })) },
    oauth: { scopes: ["read", "write"].map((scope) => ({ ...words(scope), granted_as: [`https://api.example/${scope}`] })) },
  }),

  scenario("pkce-refused", "PKCE refused", "The challenge and the verifier are refused.", { wire: { pkce: false }, oauth: { pkce: false } }),

  scenario("basic-encoded", "client secret by Basic, raw or form-urlencoded", "HTTP Basic over the form-urlencoded id and secret.", { oauth: { client_authentication: "basic" } }),
  scenario("basic-raw", "client secret by Basic, raw or form-urlencoded", "HTTP Basic over id and secret as they are.", { wire: { proof: "basicRaw" }, oauth: { client_authentication: "basic_raw" } }),
  scenario("secret-in-body", "client secret by Basic, raw or form-urlencoded", "Id and secret among the parameters.", { wire: { proof: "body" }, oauth: { client_authentication: "body" } }),
  scenario("public-client", "no client secret at all", "The id alone.", { wire: { proof: "none" }, oauth: { client_authentication: "none" } }),

  scenario("token-json", "token request as JSON, or as query string", "Token requests are JSON, the client is in the header.", { wire: { sentAs: "json" }, oauth: { token_body: "json" } }),
  scenario("token-json-secret", "token request as JSON, or as query string", "Token requests are JSON, the secret among it.", { wire: { sentAs: "json", proof: "body" }, oauth: { token_body: "json", client_authentication: "body" } }),
  scenario("token-query", "token request as JSON, or as query string", "Token requests are POSTs whose parameters stand in the query.", { wire: { sentAs: "query", proof: "body" }, oauth: { token_body: "query", client_authentication: "body", revoke: { url: "{revoke_url}", body: "form" } } }),
  scenario("token-headers", "token request as JSON, or as query string", "Token requests carry a further header.", { wire: { headers: { "x-api-version": "2026-01" } }, oauth: { token_headers: { "x-api-version": "2026-01" } } }),
  scenario("answer-form-unless-json", "answer as a form body", "A form, unless the request accepts JSON by name.", { wire: { formUnlessJson: true } }),
  scenario("answer-form", "answer as a form body", "A form, whatever the request accepts.", { wire: { formAlways: true } }),

  scenario("authorize-parameters", "extra authorize parameters before a refresh token is given", "access_type and prompt are demanded.", {
    wire: { authorizeAlso: { access_type: "offline", prompt: "consent" } }, oauth: { authorize_parameters: { access_type: "offline", prompt: "consent" } },
  }),
  scenario("authorize-lacks", "authorize URL must lack a parameter, or carry a fragment", "response_type is refused.", { wire: { authorizeLacks: ["response_type"] }, oauth: { authorize_omits: ["response_type"] } }),
  scenario("authorize-fragment", "authorize URL must lack a parameter, or carry a fragment", "The parameters stand behind the # and a question mark of its own.", { wire: { fragment: true }, addresses: { authorize_url: "#/oauth/authorize" } }),

  scenario("expiry-asked-for", "expiry must be asked for", "The exchange demands expiring=1.", { wire: { exchangeAlso: { expiring: "1" } }, oauth: { token_parameters: { expiring: "1" } } }),
  scenario("refresh-parameters", "expiry must be asked for", "The refresh demands a further parameter.", { wire: { refreshAlso: { expires_in: "3600" } }, oauth: { refresh_parameters: { expires_in: "3600" } } }),
  scenario("expiry-absent", "no expiry in the answer", "No expiry: the token lasts until it is refused.", { wire: { answer: changed(() => ({ expires_in: undefined })) }, expect: { lifetime: undefined } }),
  scenario("expiry-assumed", "no expiry in the answer", "No expiry: the catalog's two hours hold.", { wire: { answer: changed(() => ({ expires_in: undefined })) }, oauth: { answer: { assumed_lifetime: 7200 } }, expect: { lifetime: 7200 } }),
  expiry("expiry-seconds-text", "Seconds as text.", expiring(({ lifetime }) => String(lifetime)), "seconds", "/expires_in"),
  expiry("expiry-milliseconds", "Milliseconds.", expiring(({ lifetime }) => lifetime * 1000), "milliseconds", "/expires_in"),
  expiry("expiry-epoch-seconds", "A moment in seconds.", expiring(epoch, "expires_at"), "epoch_seconds"),
  expiry("expiry-epoch-seconds-text", "A moment in seconds, as text.", expiring((tokens) => String(epoch(tokens)), "expires_at"), "epoch_seconds"),
  expiry("expiry-epoch-milliseconds", "A moment in milliseconds.", expiring(({ ends }) => ends.getTime(), "expires_at"), "epoch_milliseconds"),
  expiry("expiry-epoch-milliseconds-text", "A moment in milliseconds, as text.", expiring(({ ends }) => String(ends.getTime()), "expires_at"), "epoch_milliseconds"),
  expiry("expiry-iso8601", "A moment as ISO 8601, in UTC.", expiring(({ ends }) => ends.toISOString(), "expires_at"), "iso8601"),
  expiry("expiry-iso8601-offset", "A moment as ISO 8601 with an offset and microseconds.", expiring(({ ends }) => withOffset(ends), "expires_at"), "iso8601"),
  expiry("expiry-days-hours-minutes", "A span as D:HH:MM.", expiring(({ lifetime }) => daysHoursMinutes(lifetime)), "days_hours_minutes", "/expires_in"),

  scenario("token-renamed", "token renamed or nested", "token, refreshToken and expiresAt, with status 201.", {
    wire: { status: 201, answer: ({ access, refresh, ends, scopes }) => ({ token: access, refreshToken: refresh, expiresAt: ends.toISOString(), scope: scopes.join(" ") }) },
    oauth: { answer: { access_token: "/token", refresh_token: "/refreshToken", expires: "/expiresAt", expires_as: "iso8601" } },
  }),
  scenario("token-nested", "token renamed or nested", "All stands below data.", {
    wire: { answer: (tokens) => ({ message: "success", data: standard(tokens) }) },
    oauth: { answer: { access_token: "/data/access_token", refresh_token: "/data/refresh_token", expires: "/data/expires_in", scope: "/data/scope" } },
  }),
  scenario("success-201", "success as 201; failure as 200 {\"ok\":false}", "Success has status 201.", { wire: { status: 201 } }),
  scenario("success-flag", "success as 201; failure as 200 {\"ok\":false}", "Success is told by ok.", { wire: { answer: changed(() => ({ ok: true })) }, oauth: { answer: { good: { "/ok": [true] } } } }),
  scenario("two-tokens", "two tokens in one answer", "A token of the app, and one of the user.", {
    wire: { answer: changed(() => ({ ok: true, authed_user: { id: "U1", access_token: `user-${randomBytes(9).toString("base64url")}` } })) },
    oauth: captures({ id: "user_token", from: "token", at: "/authed_user/access_token", secret: true }, { id: "user_id", from: "token", at: "/authed_user/id" }),
    expect: { captured: { user_id: "U1" } },
  }),

  scenario("refresh-token-left-out", "refresh token rotates; or is left out of the answer", "The refresh answers without a refresh token: the old one stays.", { wire: { answer: changed(({ renewed, refresh }) => ({ refresh_token: renewed ? undefined : refresh })) }, refresh: ["renewed", "renewed"] }),
  scenario("refresh-token-empty", "refresh token rotates; or is left out of the answer", "The refresh answers an empty refresh token: the old one stays.", { wire: { answer: changed(({ renewed, refresh }) => ({ refresh_token: renewed ? "" : refresh })) }, refresh: ["renewed", "renewed"] }),
  scenario("refresh-token-null", "refresh token rotates; or is left out of the answer", "The refresh answers null as refresh token: the old one stays.", { wire: { answer: changed(({ renewed, refresh }) => ({ refresh_token: renewed ? null : refresh })) }, refresh: ["renewed", "renewed"] }),
  scenario("no-refresh-token", "refresh token rotates; or is left out of the answer", "There never is a refresh token.", { wire: { answer: changed(() => ({ refresh_token: undefined })) }, refresh: [], expect: { refresh_token: "none" } }),
  scenario("never-expires", "no expiry in the answer", "The token lasts until somebody ends it.", { wire: { answer: changed(() => ({ refresh_token: undefined, expires_in: undefined })) }, oauth: { refresh: { by: "never" } }, refresh: [], expect: { lifetime: undefined, refresh_token: "none" } }),
  scenario("refresh-elsewhere", "refresh at another URL", "Tokens are renewed at an address of its own.", { wire: { refreshAt: "refresh" }, oauth: { refresh_url: "{refresh_url}" }, addresses: { refresh_url: "refresh" } }),
  scenario("long-lived", "refresh by the access token itself; short token exchanged for a long one", "The token is traded for a long-lived one by GET, and that renewed in the same way.", {
    wire: { longLived: true, proof: "body", answer: changed(() => ({ refresh_token: undefined })) },
    oauth: {
      client_authentication: "body", refresh: { by: "access_token" },
      exchange: { url: "{exchange_url}", query: true, parameters: { grant_type: "fb_exchange_token", client_id: "{client_id}", client_secret: "{client_secret}", fb_exchange_token: "{access_token}" } },
    },
    addresses: { exchange_url: "exchange" }, refresh: ["renewed", "renewed"], expect: { refresh_token: "none" },
  }),
  scenario("refresh-too-early", "refresh too early refused", "Within two seconds of issue a refresh is refused; who waits is served.", { wire: { notBefore: 2 }, oauth: { refresh: { not_before: 2 } } }),
  scenario("refresh-answers-nothing", "refresh answers without a new token though all is well", "The refresh answers without a token: the old one goes on.", {
    wire: { refreshIssuesNothing: true, answer: (tokens) => (tokens.renewed ? { result: "OK" } : standard(tokens)) }, oauth: { refresh: { may_be_empty: true } }, refresh: ["unchanged", "unchanged"],
  }),

  scenario("names-client", "client_id, code, state under other names", "client_id is client_key.", { wire: { proof: "body", rename: { client_id: "client_key" } }, oauth: { client_authentication: "body", names: { client_id: "client_key" }, revoke: undefined } }),
  scenario("names-redirect", "client_id, code, state under other names", "code and state have other names, in the redirect too.", { wire: { rename: { code: "auth_code", state: "nonce" } }, oauth: { names: { code: "auth_code", state: "nonce" } } }),
  scenario("names-all", "client_id, code, state under other names", "Everything that can have another name has one.", { wire: { proof: "body", rename: all }, oauth: { client_authentication: "body", names: all, revoke: undefined } }),

  scenario("redirect-data", "data in the redirect that is needed later", "The redirect tells realmId.", { wire: { redirectAlso: { realmId: "4620816365" } }, oauth: captures({ id: "realm_id", from: "redirect", at: "realmId" }), expect: { captured: { realm_id: "4620816365" } } }),
  scenario("redirect-data-missing", "data in the redirect that is needed later", "The redirect lacks realmId.", { oauth: captures({ id: "realm_id", from: "redirect", at: "realmId" }), exchange: "capture_missing" }),
  scenario("redirect-data-optional", "data in the redirect that is needed later", "The redirect lacks realmId, which is not required.", { oauth: captures({ id: "realm_id", from: "redirect", at: "realmId", required: false }), expect: { captured: {} } }),
  scenario("redirect-host-forged", "data in the redirect that is needed later", "The redirect names a host that is not the provider's.", { wire: { redirectAlso: { "accounts-server": "https://accounts.attacker.example" } }, oauth: captures({ id: "accounts_server", from: "redirect", at: "accounts-server", hosts: ["*.provider.example"] }), exchange: "capture_refused" }),
  scenario("token-data", "data in the token answer that is needed later", "The answer tells a tenant.", { wire: { answer: changed(() => ({ tenant: "t-4711" })) }, oauth: captures(TENANT), expect: { captured: { tenant: "t-4711" } } }),
  scenario("token-data-missing", "data in the token answer that is needed later", "The answer lacks the tenant.", { oauth: captures(TENANT), exchange: "capture_missing" }),
  scenario("token-host", "data in the token answer that is needed later", "The answer tells the API's address.", {
    wire: { answer: changed(() => ({ instance_url: "https://acme.provider.example" })) }, oauth: captures({ id: "instance_url", from: "token", at: "/instance_url", hosts: ["*.provider.example"] }), expect: { captured: { instance_url: "https://acme.provider.example" } },
  }),
  ...[["forged", "https://provider.example.attacker.example"], ["plain-http", "http://acme.provider.example"], ["with-user", "https://acme.provider.example@attacker.example"]].map(([name, instance_url]) =>
    scenario(`token-host-${name}`, "data in the token answer that is needed later", `The answer gives ${instance_url} as the API's address.`, {
      wire: { answer: changed(() => ({ instance_url })) }, oauth: captures({ id: "instance_url", from: "token", at: "/instance_url", hosts: ["*.provider.example"] }), exchange: "capture_refused",
    })),
  scenario("lookup", "a look-up after connecting", "The look-up tells the site.", { wire: { lookup: [{ id: "site-1", name: "Acme" }] }, oauth: { lookup: { url: "{lookup_url}" }, ...captures({ id: "site", from: "lookup", at: "/0/id" }) }, addresses: { lookup_url: "lookup" }, expect: { captured: { site: "site-1" } } }),
  scenario("lookup-empty", "a look-up after connecting", "The look-up knows no site.", { wire: { lookup: [] }, oauth: { lookup: { url: "{lookup_url}" }, ...captures({ id: "site", from: "lookup", at: "/0/id" }) }, addresses: { lookup_url: "lookup" }, exchange: "capture_missing" }),
  scenario("lookup-unavailable", "a look-up after connecting", "The look-up answers 503.", { wire: { lookupFault: "unavailable" }, oauth: { lookup: { url: "{lookup_url}" }, ...captures({ id: "site", from: "lookup", at: "/0/id" }) }, addresses: { lookup_url: "lookup" }, exchange: "transient" }),
];
