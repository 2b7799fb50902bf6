// What tests see of the authorization server and change in it: in process by the object, over HTTP below `/test/`.
import { createHash } from "node:crypto";
import { readForm } from "./interactions.mjs";
import { approveDevice, authorize } from "./walk.mjs";

/** @param {string} token */
export const digest = (token) => createHash("sha256").update(token).digest("hex");

/**
 * @typedef {object} TokenRequest
 * @property {string} at when, as ISO 8601
 * @property {string} grantType
 * @property {string} client
 * @property {string} [refreshToken] the presented one's SHA-256, in hexadecimal
 * @property {number} status
 * @property {string} [error]
 */

/** @param {{ revokeAccount: (user: string) => number, tokensOf: (user: string) => string[], deviceCodes: () => string[] }} store */
export function createControl(store) {
  const state = { lifetime: 3600, redirectUris: /** @type {string[]} */ ([]) };
  /** @type {TokenRequest[]} */
  const tokenRequests = [];
  /** @type {Map<string, number>} */
  const presented = new Map();

  return {
    state, tokenRequests,
    /** A Koa middleware that writes down what comes to the token endpoint. */
    async watch(ctx, next) {
      await next();
      if (ctx.oidc?.route !== "token") return;
      const { grant_type: grantType, refresh_token: refreshToken, client_id: clientId } = ctx.oidc.body ?? {};
      const hash = refreshToken && digest(refreshToken);
      if (hash) presented.set(hash, (presented.get(hash) ?? 0) + 1);
      const client = ctx.oidc.entities.Client?.clientId ?? clientId ?? "";
      tokenRequests.push({
        at: new Date().toISOString(), grantType: grantType ?? "", client, status: ctx.status,
        ...(hash && { refreshToken: hash }), ...(ctx.body?.error && { error: ctx.body.error }),
      });
    },
    /** How often each refresh token was presented, by its SHA-256. */
    presentations: () => Object.fromEntries(presented),
    /** How often this one was. */
    presentationsOf: (refreshToken) => presented.get(digest(refreshToken)) ?? 0,
    /** From now on access tokens last this many seconds. */
    setLifetime: (seconds) => (state.lifetime = seconds),
    /** Lets the clients use this redirect URI too. */
    addRedirectUri: (uri) => state.redirectUris.push(uri),
    /** Ends all grants of the user; their refresh and access tokens are worth nothing any more. */
    revokeUser: (user) => store.revokeAccount(user),
    /** The user's access and refresh tokens that are still good. */
    tokensOf: (user) => store.tokensOf(user),
    deviceCodes: () => store.deviceCodes(),
    /** Forgets what was written down, not what was issued. */
    reset() {
      tokenRequests.length = 0;
      presented.clear();
    },
  };
}

/**
 * The same over HTTP, for tests that are not in this process. GETs read; POSTs take a form or a JSON object.
 * @param {ReturnType<typeof createControl>} control
 * @param {string} origin where the server is reached without a proxy
 * @returns {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, url: URL) => Promise<boolean>}
 */
export function controlOverHttp(control, origin) {
  const person = (form) => ({
    user: form.get("user") ?? "alice@example.com",
    decision: /** @type {"allow" | "refuse"} */ (form.get("decision") ?? "allow"),
    scopes: form.has("scope") ? form.get("scope").split(" ") : undefined,
  });
  const routes = {
    "GET log": () => ({ token_requests: control.tokenRequests }),
    "GET presentations": () => control.presentations(),
    "POST reset": () => (control.reset(), {}),
    "POST lifetime": (form) => ({ seconds: control.setLifetime(Number(form.get("seconds"))) }),
    "POST redirect-uri": (form) => (control.addRedirectUri(form.get("uri")), {}),
    "POST revoke": (form) => ({ grants: control.revokeUser(form.get("user")) }),
    "POST authorize": (form) => authorize(new URL(form.get("url")).origin, form.get("url"), person(form)),
    "POST device": (form) => approveDevice(origin, form.get("user_code"), person(form)),
  };
  return async (request, response, url) => {
    const [, name] = /^\/test\/([a-z-]+)$/.exec(url.pathname) ?? [];
    if (!name) return false;
    const route = routes[`${request.method} ${name}`];
    try {
      const answer = route ? await route(await readForm(request)) : { error: `there is no ${request.method} ${url.pathname}` };
      response.writeHead(route ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: String(error) }));
    }
    return true;
  };
}
