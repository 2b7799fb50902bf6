// A certified OAuth 2.0 and OpenID provider (npm `oidc-provider`) on a loopback port, with pages that a person or
// Playwright can press, and what tests want to know and change (`control`; over HTTP below `/test/`).
//   node end2end/servers/oidc-provider.mjs [--coop] [--port=9000] [--hostname=localhost] [REDIRECT_URI ...]
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Provider } from "oidc-provider";
import { clients, configuration } from "./oidc-provider/configuration.mjs";
import { controlOverHttp, createControl } from "./oidc-provider/control.mjs";
import { interactions } from "./oidc-provider/interactions.mjs";
import { createMachine, machines } from "./oidc-provider/machine.mjs";
import { createStore } from "./oidc-provider/store.mjs";
import { authorize } from "./oidc-provider/walk.mjs";
import { temporaryFolder } from "./process.mjs";

/** Loopback addresses count whatever their port, as for native apps (RFC 8252, section 7.3). */
export const REDIRECT_URIS = ["https://patchbay.example", "http://127.0.0.1", "http://localhost"].flatMap((origin) => [`${origin}/oauth/callback`, `${origin}/oauth/callback/own`]);
export const USERS = ["alice@example.com", "bob@example.com"];

/**
 * @param {object} [options]
 * @param {string} [options.publicOrigin] the issuer, if people reach the server by a proxy
 * @param {"127.0.0.1" | "localhost"} [options.hostname] which of its two names, two sites to a browser, is the issuer's
 * @param {number} [options.port] left out: a free one
 * @param {string[]} [options.redirectUris]
 * @param {string[]} [options.users] whom the sign-in page offers
 * @param {boolean} [options.coop] its pages say `Cross-Origin-Opener-Policy: same-origin`
 * @param {boolean} [options.rotate] each refresh answers a new refresh token; the old one presented again ends the grant
 * @param {"always" | "offline_access"} [options.refreshTokens] to whom: all, or who asks by that scope and `prompt=consent`
 * @param {boolean} [options.alwaysAsk] shows the page for consent also to those who gave it before
 */
export async function startOidcProvider(options = {}) {
  const { hostname = "127.0.0.1", redirectUris = REDIRECT_URIS, users = USERS, coop = false } = options;
  const { rotate = true, refreshTokens = "always", alwaysAsk = true } = options;
  const server = createServer().listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const url = `http://${hostname}:${port}`;
  const issuer = options.publicOrigin ?? url;
  const store = createStore();
  const control = createControl(store);
  const provider = new Provider(issuer, configuration({ redirectUris, rotate, refreshTokens, alwaysAsk, adapter: store.adapter, state: control.state }));
  provider.proxy = options.publicOrigin !== undefined;
  provider.use(control.watch);
  allowRedirects(provider, redirectUris, control.state);

  const machine = createMachine("patchbay-basic");
  const own = [machines(provider, machine, `${issuer}/machine/token`), interactions(provider, { users }), controlOverHttp(control, `http://127.0.0.1:${port}`)];
  const callback = provider.callback();
  server.on("request", async (request, response) => {
    if (coop) response.setHeader("cross-origin-opener-policy", "same-origin");
    const address = new URL(request.url ?? "/", url);
    for (const answer of own) if (await answer(request, response, address)) return;
    callback(request, response);
  });

  const [basic, post, open] = clients(redirectUris).map(({ client_id: id, client_secret: secret }) => ({ id, secret }));
  const at = (path) => `${issuer}${path}`;
  const endpoints = {
    discovery: at("/.well-known/openid-configuration"), authorization: at("/auth"), token: at("/token"), userinfo: at("/me"),
    revocation: at("/token/revocation"), introspection: at("/token/introspection"), device: at("/device/auth"), registration: at("/reg"),
    machine: at("/machine/token"),
  };
  return {
    port, url, issuer, endpoints, users, redirectUris, control, machine,
    /** The same server as another site. */
    localhostUrl: `http://localhost:${port}`,
    clients: { basic, post, public: { id: open.id } },
    /** Signs in and consents without a browser; returns the redirect to the client. */
    authorize: (/** @type {string} */ address, /** @type {import("./oidc-provider/walk.mjs").Person} */ person) => authorize(new URL(address).origin, address, person),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Beside the registered ones: their loopback addresses with any port, and what tests add later. */
function allowRedirects(provider, redirectUris, state) {
  const registered = provider.Client.prototype.redirectUriAllowed;
  provider.Client.prototype.redirectUriAllowed = function (uri) {
    if (registered.call(this, uri)) return true;
    const own = this.redirectUris.every((one) => redirectUris.includes(one));
    return own && [...redirectUris, ...state.redirectUris].some((one) => withoutPort(one) === withoutPort(uri));
  };
}

function withoutPort(uri) {
  const url = new URL(uri);
  if (url.protocol === "http:" && ["127.0.0.1", "localhost"].includes(url.hostname)) url.port = "";
  return url.href;
}

/** Starts one for tests that are not in this process, and writes what they have to know into a JSON file. */
export async function startDescribedOidcProvider(options = {}) {
  const server = await startOidcProvider(options);
  const { folder, remove } = temporaryFolder("oidc");
  const path = join(folder, "oidc.json");
  const { issuer, url, localhostUrl, endpoints, clients: known, users, redirectUris } = server;
  writeFileSync(path, JSON.stringify({ issuer, url, localhost_url: localhostUrl, endpoints, clients: known, users, redirect_uris: redirectUris, test: `${url}/test` }), { mode: 0o600 });
  return { ...server, path, stop: async () => (await server.stop(), remove()) };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { coop: { type: "boolean" }, port: { type: "string" }, hostname: { type: "string" } },
  });
  const server = await startOidcProvider({
    coop: values.coop, port: values.port ? Number(values.port) : undefined,
    hostname: values.hostname === "localhost" ? "localhost" : "127.0.0.1",
    redirectUris: [...REDIRECT_URIS, ...positionals],
  });
  console.log(`Issuer: ${server.issuer}\nDiscovery: ${server.endpoints.discovery}`);
  for (const [kind, { id, secret }] of Object.entries(server.clients)) console.log(`Client (${kind}): ${id}${secret ? `   secret: ${secret}` : ""}`);
  console.log(`Redirect URIs (on loopback, any port): ${server.redirectUris.join("  ")}\nEnd it with Ctrl+C.`);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => server.stop().then(() => process.exit(0)));
}
