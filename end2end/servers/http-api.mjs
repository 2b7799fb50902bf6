// An HTTP API as vendors have them: it takes a credential in one of four places, and may be told to misbehave.
import { once } from "node:events";
import { createServer } from "node:http";

/** @typedef {"well" | "hang" | "html" | "endless" | "redirect" | number | { busyFor: number }} Behaviour how every request is answered; a number is a status code, `busyFor` the seconds after which one may ask again */

export async function startHttpApi() {
  /** Credentials that are right, and what the API answers to each. @type {Map<string, Record<string, unknown>>} */
  const accounts = new Map();
  /** Requests as they came: path and credential. @type {{ path: string, credential: string }[]} */
  const requests = [];
  let behaviour = /** @type {Behaviour} */ ("well");
  let closedEarly = 0;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const credential = credentialOf(url, request.headers);
    requests.push({ path: url.pathname, credential });
    response.on("close", () => {
      if (!response.writableFinished) closedEarly += 1;
    });
    answer(behaviour, response, accounts.get(credential));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}`;
  return {
    port, url, requests,
    /** Where each kind of credential is asked for. */
    bearerUrl: `${url}/bearer`, headerUrl: `${url}/header`, queryUrl: `${url}/query`, basicUrl: `${url}/basic`,
    /** From now on this credential is right; for basic it is `user:password`. */
    accept: (credential, account = "ops@acme.example", more = {}) => accounts.set(credential, { login: account, email: account, ...more }),
    refuse: (credential) => accounts.delete(credential),
    behave: (/** @type {Behaviour} */ how) => (behaviour = how),
    /** Requests whose client left before the answer was complete. */
    closedEarly: () => closedEarly,
    reset() {
      accounts.clear();
      requests.length = 0;
      behaviour = "well";
      closedEarly = 0;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function credentialOf(url, headers) {
  const after = (scheme) => (headers.authorization?.startsWith(`${scheme} `) ? headers.authorization.slice(scheme.length + 1) : "");
  if (url.pathname.startsWith("/bearer")) return after("Bearer");
  if (url.pathname.startsWith("/header")) return String(headers["x-api-key"] ?? "");
  if (url.pathname.startsWith("/query")) return url.searchParams.get("api_key") ?? "";
  if (url.pathname.startsWith("/basic")) return Buffer.from(after("Basic"), "base64").toString();
  return "";
}

function answer(behaviour, response, account) {
  if (behaviour === "hang") return;
  if (behaviour === "redirect") return response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
  if (behaviour === "html") return response.writeHead(200, { "content-type": "text/html" }).end("<h1>Welcome to nginx</h1>");
  if (behaviour === "endless") return pour(response);
  if (typeof behaviour === "object") return response.writeHead(429, { "retry-after": String(behaviour.busyFor) }).end();
  const status = typeof behaviour === "number" ? behaviour : account ? 200 : 401;
  const body = status === 200 && account ? account : { error: status === 401 ? "bad credentials" : "not now" };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

// A body without an end, as fast as the client reads it.
function pour(response) {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = Buffer.alloc(64 * 1024, " ");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}
