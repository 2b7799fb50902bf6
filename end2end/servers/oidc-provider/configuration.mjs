// How the authorization server is set up: what it offers, to which clients, and for how long.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { interactionPolicy } from "oidc-provider";
import { sources } from "./pages.mjs";

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const DAY = 24 * 60 * 60;

/** One client for each way of proving itself. The secrets hold characters that form encoding changes. */
export function clients(redirectUris) {
  const base = { redirect_uris: redirectUris, response_types: ["code"] };
  const grants = ["authorization_code", "refresh_token", DEVICE];
  const confidential = [...grants, "client_credentials"];
  return [
    { ...base, client_id: "patchbay-basic", client_name: "Patchbay", client_secret: "basic s3cr3t/+=%&", grant_types: confidential, token_endpoint_auth_method: "client_secret_basic" },
    { ...base, client_id: "patchbay-post", client_name: "Patchbay by post", client_secret: "post s3cr3t/+=%&", grant_types: confidential, token_endpoint_auth_method: "client_secret_post" },
    { ...base, client_id: "patchbay-public", client_name: "Patchbay in public", grant_types: grants, token_endpoint_auth_method: "none" },
  ];
}

/** The usual pages, and the one for consent even where consent was given before. */
function policy(alwaysAsk) {
  const prompts = interactionPolicy.base();
  if (alwaysAsk) {
    const asked = new interactionPolicy.Check("always", "consent is asked for each time", (ctx) => !ctx.oidc.result?.consent);
    prompts.get("consent").checks.add(asked);
  }
  return prompts;
}

/**
 * @param {object} options
 * @param {string[]} options.redirectUris
 * @param {boolean} options.rotate
 * @param {"always" | "offline_access"} options.refreshTokens
 * @param {boolean} options.alwaysAsk
 * @param {(kind: string) => object} options.adapter
 * @param {{ lifetime: number }} options.state
 */
export function configuration({ redirectUris, rotate, refreshTokens, alwaysAsk, adapter, state }) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    adapter,
    clients: clients(redirectUris),
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "test", use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    scopes: ["openid", "offline_access", "email", "profile", "api:read", "api:write"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    interactions: { policy: policy(alwaysAsk), url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true, userCodeInputSource: sources.userCodeInputSource, userCodeConfirmSource: sources.userCodeConfirmSource, successSource: sources.successSource },
      introspection: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
      registration: { enabled: true, initialAccessToken: false },
      registrationManagement: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: true },
    },
    findAccount: (ctx, user) => ({ accountId: user, claims: () => ({ sub: user, email: user, email_verified: true, name: nameOf(user) }) }),
    loadExistingGrant(ctx) {
      const asked = ctx.oidc.result?.consent?.grantId;
      const id = asked ?? (alwaysAsk ? undefined : ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId));
      return id && ctx.oidc.provider.Grant.find(id);
    },
    issueRefreshToken: (ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") && (refreshTokens === "always" || source.scopes.has("offline_access")),
    rotateRefreshToken: () => rotate,
    expiresWithSession: () => false,
    renderError: sources.renderError,
    ttl: {
      AccessToken: () => state.lifetime, ClientCredentials: () => state.lifetime, AuthorizationCode: () => 60, DeviceCode: () => 600,
      IdToken: () => 3600, Interaction: () => 3600, RefreshToken: () => 14 * DAY, Grant: () => 14 * DAY, Session: () => DAY,
    },
  };
}

/** alice@example.com is Alice Example. */
function nameOf(user) {
  const [name] = user.split("@");
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} Example`;
}
