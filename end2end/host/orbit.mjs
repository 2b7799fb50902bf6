// Orbit Flows, a sample workflow platform: another product, on another site, with Patchbay embedded.
//   PATCHBAY_URL=... PATCHBAY_INSTANCE_KEY=... node end2end/host/orbit.mjs
// What a platform needs of its own is `ticket` and `setUp` below, and the pages' `getTicket`.
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { people, workflows } from "./sample.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = join(root, "end2end", "host", "pages");
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };

/**
 * @param {{ patchbay: string, instanceKey: string, apiKey?: string, workspace?: string, port?: number, hostname?: string, policy?: string,
 *   origins?: string[], environments?: string[] }} settings `apiKey` registers workflows; `policy` replaces the pages' own;
 *   `origins` replaces what may embed the workspace
 */
export async function startOrbit(settings) {
  const { patchbay, instanceKey, apiKey, workspace = "orbit", hostname = "localhost", environments = ["development", "staging", "production"] } = settings;
  const flows = structuredClone(workflows);
  const { origin } = new URL(patchbay);
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      send(response, 502, { error: String(error.message ?? error) });
    });
  });
  server.listen(settings.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://${hostname}:${server.address().port}`;
  const policy = settings.policy ?? [
    "default-src 'none'", `script-src 'self' ${origin}`, "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", `frame-src ${origin}`,
    "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
  ].join("; ");

  /** Asks Patchbay; the key stays on this server. */
  async function ask(method, path, body, key = instanceKey) {
    const answer = await fetch(`${patchbay}/api/v1${path}`, {
      method, body: JSON.stringify(body), headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Patchbay answered ${method} ${path} with ${answer.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** The workspace of this platform: may be repeated, changes nothing then. */
  const setUp = () => ask("PUT", `/workspaces/${workspace}`, {
    name: "Orbit Flows", allowed_origins: settings.origins ?? [url], theme: { accent: "#0f766e", radius: 10, scheme: "system" },
  });

  /** One ticket for whoever is signed in here, who decides nothing about it. */
  const ticket = (person) => ask("POST", "/embed/sessions", {
    workspace, user: { id: person.id, name: person.name }, role: person.role, environments, origin: url,
  });

  async function register(flow) {
    if (!apiKey) return;
    const connections = flow.steps.flatMap(({ connection }) => (connection ? [connection.id] : []));
    const body = { name: flow.name, connections, url: `${url}/#${flow.id}` };
    await ask("PUT", `/workflows/${flow.id}?environment=${flow.environment}`, body, apiKey);
  }

  async function handle(request, response) {
    const { pathname } = new URL(request.url, url);
    if (request.method === "GET") return get(pathname, request, response);
    // Another site's page must not act for whoever is signed in here.
    if (request.headers["sec-fetch-site"] !== "same-origin") return send(response, 403, { error: "not from here" });
    if (pathname === "/patchbay-ticket") return send(response, 200, await ticket(personOf(request)));
    const [, id, index] = /^\/flows\/([a-z-]+)\/(\d)$/.exec(pathname) ?? [];
    const flow = flows.find((one) => one.id === id);
    if (request.method !== "PUT" || !flow?.steps[index]?.component) return send(response, 404, { error: "no such step" });
    flow.steps[index].connection = JSON.parse(await bodyOf(request));
    await register(flow);
    return send(response, 200, flow);
  }

  function get(pathname, request, response) {
    if (pathname === "/state.json") return send(response, 200, { patchbay, workspace, flows, people, person: personOf(request) });
    const bundle = /^\/examples\/(react|vue|plain-html)\/main\.js$/.exec(pathname);
    if (bundle) return sendText(response, 200, bundled(bundle[1]), "text/javascript");
    const path = fileOf(pathname);
    if (!path || !existsSync(path)) return send(response, 404, { error: "no such page" });
    return sendText(response, 200, readFileSync(path), TYPES[extname(path)] ?? "application/octet-stream");
  }

  const sendText = (response, status, text, type) =>
    response.writeHead(status, { "content-type": type, "content-security-policy": policy, "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store" }).end(text);
  const send = (response, status, value) => sendText(response, status, JSON.stringify(value), "application/json");

  await setUp();
  return {
    url, workspace, flows, ticket, setUp,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A sample signs people in by a cookie that names them; a real platform has sessions. */
function personOf(request) {
  const id = /(?:^|; )person=(\w+)/.exec(request.headers.cookie ?? "")?.[1];
  return people.find((person) => person.id === id) ?? people[0];
}

function fileOf(pathname) {
  const path = normalize(pathname === "/" ? "/index.html" : pathname.endsWith("/") ? `${pathname}index.html` : pathname);
  return path.startsWith("/examples/") ? join(root, path) : join(pages, path);
}

/** The examples as a bundler would deliver them. */
function bundled(name) {
  const folder = join(root, "examples", name);
  const entry = ["main.jsx", "main.js"].map((file) => join(folder, file)).find(existsSync);
  const result = buildSync({
    entryPoints: [entry], bundle: true, minify: true, write: false, format: "esm", jsx: "automatic", alias: { "@patchbay/embed": join(root, "sdk", "patchbay.js") },
    define: {
      "process.env.NODE_ENV": '"production"', __VUE_OPTIONS_API__: "false", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
  });
  return result.outputFiles[0].text;
}

async function bodyOf(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error("too long");
  }
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { PATCHBAY_URL: patchbay = "http://127.0.0.1:3000", PATCHBAY_INSTANCE_KEY: instanceKey, PATCHBAY_API_KEY: apiKey, ORBIT_PORT: port = "4000" } = process.env;
  if (!instanceKey) {
    console.error("PATCHBAY_INSTANCE_KEY is missing. Make one: scripts/patchbay instance-key create --name orbit");
    process.exit(1);
  }
  const orbit = await startOrbit({ patchbay: patchbay.replace(/\/$/, ""), instanceKey, apiKey, port: Number(port) });
  console.log(`Orbit Flows is ready: ${orbit.url} (Patchbay embedded from ${patchbay})`);
}
