// Databases over HTTP that cannot be installed here: they sign in, and answer as their vendors document it.
import { once } from "node:events";
import { createServer } from "node:http";

const user = "reporting";
const password = "Nightly-Orders-73";
const right = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const answers = {
  // https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-security-authenticate
  elasticsearch: {
    path: "/_security/_authenticate",
    accepted: { username: user, roles: ["reader"], enabled: true, authentication_realm: { name: "native1", type: "native" } },
    refused: { error: { type: "security_exception", reason: `unable to authenticate user [${user}] for REST request [/_security/_authenticate]` }, status: 401 },
  },
  // https://docs.opensearch.org/latest/security/access-control/api/
  opensearch: {
    path: "/_plugins/_security/authinfo",
    accepted: { user: `User [name=${user}, backend_roles=[], requestedTenant=null]`, user_name: user, roles: ["own_index", "reader"] },
    refused: "Unauthorized",
  },
  // https://clickhouse.com/docs/interfaces/http
  clickhouse: {
    path: "/",
    accepted: { meta: [{ name: "user", type: "String" }], data: [{ user }], rows: 1 },
    refused: `Code: 516. DB::Exception: ${user}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED) (version 25.8.1.1)\n`,
  },
};

/** @param {keyof typeof answers} name */
export async function startAsDocumented(name) {
  const { path, accepted, refused } = answers[name];
  const server = createServer((request, response) => {
    const isRight = request.headers.authorization === right;
    const [status, body] = new URL(request.url ?? "/", "http://localhost").pathname !== path ? [404, "Not found"] : isRight ? [200, accepted] : [401, refused];
    const isText = typeof body === "string";
    response.writeHead(status, { "content-type": isText ? "text/plain; charset=UTF-8" : "application/json", ...(status === 401 && { "www-authenticate": "Basic" }) });
    response.end(isText ? body : JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    port, user, password,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
