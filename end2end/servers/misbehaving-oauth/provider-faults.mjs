// Everything that can go wrong: at the authorization page, at the exchange, at the refresh, with reuse, at revocation.
import { changed } from "./answers.mjs";
import { faults } from "./faults.mjs";
import { scenario } from "./scenario.mjs";

const MARKUP = `<script>alert("x")</script>\r\nSet-Cookie: a=b \u202e ${"long ".repeat(2000)}`;

/** A redirect that tells an error instead of a code. */
const refused = (error, description) => ({ redirectInstead: { code: undefined, error, error_description: description } });
/** An issuer that the catalog knows. */
const issuer = (promised) => ({ issuer: "{issuer}", issuer_promised: promised });
const ISSUER = { issuer: "" };

const atTheProvider = [
  scenario("consent-refused", "consent refused", "The person refuses.", { wire: refused("access_denied", "The person refused."), exchange: "refused" }),
  scenario("consent-refused-with-markup", "consent refused", "The description holds markup, line ends and 10,000 characters.", { wire: refused("access_denied", MARKUP), exchange: "refused" }),
  scenario("authorize-temporarily-unavailable", "temporarily_unavailable", "The redirect says temporarily_unavailable.", { wire: refused("temporarily_unavailable"), exchange: "provider_error" }),
  scenario("authorize-server-error", "provider error page", "The redirect says server_error.", { wire: refused("server_error"), exchange: "provider_error" }),
  scenario("authorize-html-200", "provider error page", "The provider shows a page and never redirects.", { wire: { authorizeFault: "html-200" }, exchange: "no_return" }),
  scenario("authorize-html-500", "provider error page", "The provider shows an error page and never redirects.", { wire: { authorizeFault: "html-500" }, exchange: "no_return" }),
  scenario("issuer-right", "wrong iss, missing iss", "The redirect names the issuer.", { wire: { redirectAlso: { iss: "{issuer}" } }, oauth: issuer(true), addresses: ISSUER }),
  scenario("issuer-wrong", "wrong iss, missing iss", "The redirect names another issuer.", { wire: { redirectAlso: { iss: "https://attacker.example" } }, oauth: issuer(true), addresses: ISSUER, exchange: "issuer_wrong" }),
  scenario("issuer-wrong-unpromised", "wrong iss, missing iss", "The redirect names another issuer, though it need not name any.", { wire: { redirectAlso: { iss: "https://attacker.example" } }, oauth: issuer(false), addresses: ISSUER, exchange: "issuer_wrong" }),
  scenario("issuer-missing", "wrong iss, missing iss", "The redirect names no issuer, though that is promised.", { oauth: issuer(true), addresses: ISSUER, exchange: "issuer_missing" }),
  scenario("issuer-unpromised", "wrong iss, missing iss", "The redirect names no issuer, and need not.", { oauth: issuer(false), addresses: ISSUER }),
  scenario("state-altered", "state replayed, expired, forged", "The redirect has another state.", { wire: { redirectInstead: { state: "forged" } }, exchange: "state_wrong" }),
  scenario("state-missing", "state replayed, expired, forged", "The redirect has no state.", { wire: { redirectInstead: { state: undefined } }, exchange: "state_wrong" }),
  scenario("code-missing", "provider error page", "The redirect has neither code nor error.", { wire: { redirectInstead: { code: undefined } }, exchange: "provider_error" }),
  scenario("code-wrong", "invalid_grant", "The redirect has a code that the token endpoint does not know.", { wire: { redirectInstead: { code: "code-unknown" } }, exchange: "invalid_grant" }),
];

/** Each fault at the exchange, each time; and at the first refresh, after which all goes well unless the grant ended. */
const atTheTokenEndpoint = Object.entries(faults).flatMap(([name, { about, verdict, retryAfter }]) => {
  const told = retryAfter ? { retry_after: retryAfter } : {};
  const refresh = verdict === "invalid_grant" ? [verdict, verdict] : [verdict, "renewed"];
  return [
    scenario(`exchange-${name}`, "faults at the exchange", about, { wire: { exchangeFault: name }, exchange: verdict, expect: told }),
    scenario(`refresh-${name}`, "faults at the refresh", about, { wire: { refreshFaults: [name] }, refresh, expect: told }),
  ];
});

const flag = { answer: { good: { "/ok": [true] }, errors: { invalid_code: "invalid_grant", token_revoked: "invalid_grant", bad_client_secret: "invalid_client" } } };
/** Answers `{"ok":false}` with status 200 to refreshes, or to all. */
const flagged = (error, always = false) => ({
  refreshIssuesNothing: true,
  answer: (/** @type {import("./scenario.mjs").Tokens} */ tokens) =>
    always || tokens.renewed ? { ok: false, error } : changed(() => ({ ok: true }))(tokens),
});
const FLAG_ROW = "success as 201; failure as 200 {\"ok\":false}";
const inOtherWords = [
  scenario("flag-exchange-refused", FLAG_ROW, "Status 200, ok false, and invalid_code.", { wire: flagged("invalid_code", true), oauth: flag, exchange: "invalid_grant" }),
  scenario("flag-exchange-client", FLAG_ROW, "Status 200, ok false, and bad_client_secret.", { wire: flagged("bad_client_secret", true), oauth: flag, exchange: "invalid_client" }),
  scenario("flag-refresh-refused", FLAG_ROW, "Status 200, ok false, and token_revoked.", { wire: flagged("token_revoked"), oauth: flag, refresh: ["invalid_grant"] }),
  scenario("flag-refresh-busy", FLAG_ROW, "Status 200, ok false, and an error that nobody knows.", { wire: flagged("fatal_error"), oauth: flag, refresh: ["transient", "transient"] }),
  scenario("refresh-answers-nothing-unexpected", "refresh answers without a new token though all is well", "The refresh answers without a token, which the catalog does not know of.", { wire: { refreshIssuesNothing: true, answer: (tokens) => (tokens.renewed ? { result: "OK" } : changed(() => ({}))(tokens)) }, refresh: ["transient", "transient"] }),
];

const ROTATES = { refresh: { rotates: true } };
const NEW = { refresh_token: /** @type {const} */ ("new") };
const ROW = "rotates and punishes reuse";
const reuse = [
  scenario("rotates", "refresh token rotates; or is left out of the answer", "Each refresh answers a new refresh token; a used one is refused.", { wire: { reuse: "rotates" }, oauth: ROTATES, refresh: ["renewed", "renewed"], expect: NEW }),
  scenario("rotates-unannounced", "refresh token rotates; or is left out of the answer", "The same, and the catalog does not say so.", { wire: { reuse: "rotates" }, refresh: ["renewed", "renewed"], expect: NEW }),
  scenario("punishes", ROW, "A used refresh token ends the whole family.", { wire: { reuse: "punishes" }, oauth: ROTATES, refresh: ["renewed", "renewed", "renewed"], expect: NEW }),
  scenario("forgives", ROW, "Within 30 seconds (setting grace_ms) a used refresh token answers the same tokens once more; later it ends the whole family.", { wire: { reuse: "forgives" }, oauth: ROTATES, refresh: ["renewed", "renewed"], expect: NEW }),
  scenario("crash-punishes", "crash simulation", "The answer to the first refresh is lost; the same token again ends the family.", { wire: { reuse: "punishes", refreshFaults: ["crash"] }, oauth: ROTATES, refresh: ["transient", "invalid_grant"] }),
  scenario("crash-rotates", "crash simulation", "The answer to the first refresh is lost; the same token again is refused.", { wire: { reuse: "rotates", refreshFaults: ["crash"] }, oauth: ROTATES, refresh: ["transient", "invalid_grant"] }),
  scenario("crash-forgives", "crash simulation", "The answer to the first refresh is lost; the same token again answers the same tokens.", { wire: { reuse: "forgives", refreshFaults: ["crash"] }, oauth: ROTATES, refresh: ["transient", "renewed", "renewed"], expect: NEW }),
  scenario("crash-before", "crash simulation", "The connection is reset before the first refresh is done; the same token again is good.", { wire: { reuse: "punishes", refreshFaults: ["reset"] }, oauth: ROTATES, refresh: ["transient", "renewed"], expect: NEW }),
];

const url = "{revoke_url}";
const revocation = [
  scenario("revoke-delete", "revocation", "DELETE with the access token as bearer, answered by 204.", { wire: { revocation: { method: "DELETE", proof: "bearer", status: 204 } }, oauth: { revoke: { url, method: "DELETE", token: "access_token", authentication: "bearer", done: [204] } } }),
  scenario("revoke-json", "revocation", "JSON with access_token, and HTTP Basic where token requests have the secret in the body.", { wire: { proof: "body", revocation: { sentAs: "json", proof: "basic", tokenAs: "access_token" } }, oauth: { client_authentication: "body", revoke: { url, body: "json", token: "access_token", authentication: "basic", parameters: { access_token: "{token}" } } } }),
  scenario("revoke-unavailable", "revocation", "Revoking answers 503.", { wire: { revokeFault: "unavailable" }, revoke: "transient" }),
  scenario("revoke-redirected", "revocation", "Revoking is redirected to another address, which a client must not follow.", { wire: { revokeFault: "redirected" }, revoke: "transient" }),
];

export const providerFaults = [...atTheProvider, ...atTheTokenEndpoint, ...inOtherWords, ...reuse, ...revocation];
