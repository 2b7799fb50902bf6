// An OAuth 2.0 provider of our own that deviates and misbehaves on purpose, one way a scenario: /s/SCENARIO/authorize,
// token, revoke, me and so on. It refuses every request that is not exactly in the scenario's form, and writes down why.
// misbehaving-oauth/control.mjs says how tests read and change it, misbehaving-oauth/scenarios.toml what there is.
//   node end2end/servers/misbehaving-oauth.mjs [PORT]
import { once } from "node:events";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { controlOverHttp, createControl } from "./misbehaving-oauth/control.mjs";
import { answer } from "./misbehaving-oauth/endpoints.mjs";
import { CLIENT } from "./misbehaving-oauth/scenario.mjs";

/** What is written down of a request besides its parameters. */
const HEADERS = ["authorization", "content-type", "accept", "user-agent", "host", "x-api-version", "cookie", "referer"];

/** @param {{ port?: number }} [options] */
export async function startMisbehavingOauth({ port: wanted = 0 } = {}) {
  const control = createControl();
  const server = createServer((request, response) => {
    serve(control, request, response, origin).catch((error) => response.headersSent ? response.destroy() : response.writeHead(500).end(String(error)));
  });
  server.listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;
  return {
    port, url: origin, client: CLIENT, control,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function serve(control, request, response, origin) {
  const url = new URL(request.url ?? "/", origin);
  const method = request.method ?? "GET";
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  if (url.pathname.startsWith("/control/")) return controlOverHttp(control, { method, url, body, response });

  const [, name, action] = /^\/s\/([a-z0-9~_-]+)\/([a-z]*)$/.exec(url.pathname) ?? [];
  if (!name || !control.knows(name)) return response.writeHead(404).end();
  const { scenario: { wire }, tokens, queued } = control.instance(name);
  const { headers } = request;
  const entry = note(control, { scenario: name, action, method, url, headers, body }, response);
  const call = {
    method, url, headers, body, response, origin, base: `/s/${name}`, wire, tokens, entry,
    injected: (at) => queued.get(at)?.shift(),
  };
  return answer(action, call);
}

/** Writes the request down, and when it is over how it was answered. */
function note(control, { scenario, action, method, url, headers, body }, response) {
  /** @type {Record<string, unknown>} */
  const entry = {
    at: new Date().toISOString(), scenario, action, method, path: url.pathname, query: url.search.slice(1), body,
    headers: Object.fromEntries(HEADERS.filter((name) => name in headers).map((name) => [name, headers[name]])),
  };
  const before = response.socket?.bytesWritten ?? 0;
  const { socket } = response;
  response.on("close", () => {
    entry.status = response.headersSent ? response.statusCode : null;
    entry.sent = (socket?.bytesWritten ?? before) - before;
    entry.left_early = !response.writableFinished;
  });
  control.requests.push(entry);
  return entry;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await startMisbehavingOauth({ port: Number(process.argv[2] ?? 0) });
  console.log(`Origin: ${server.url}\nClient: ${CLIENT.id}   secret: ${CLIENT.secret}\nScenarios: ${server.url}/control/scenarios\nEnd it with Ctrl+C.`);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => server.stop().then(() => process.exit(0)));
}
