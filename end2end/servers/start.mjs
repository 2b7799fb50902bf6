// Runs a command beside a PostgreSQL, a MariaDB and a Redis of its own, the servers of the matrix and two of OAuth: for
// `cargo test`.
//   node end2end/servers/start.mjs -- COMMAND [ARGUMENT ...]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startMatrix } from "./matrix.mjs";
import { startMariadb } from "./mariadb.mjs";
import { startMisbehavingOauth } from "./misbehaving-oauth.mjs";
import { startDescribedOidcProvider } from "./oidc-provider.mjs";
import { startPostgresql } from "./postgresql.mjs";
import { startRedis } from "./redis.mjs";

const command = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
if (command.length === 0) {
  console.error("usage: node end2end/servers/start.mjs -- COMMAND [ARGUMENT ...]");
  process.exit(2);
}
const servers = await Promise.all([startPostgresql(), startMariadb(), startRedis(), startMatrix(), startDescribedOidcProvider(), startMisbehavingOauth()]);
const [postgresql, mariadb, redis, matrix, oidc, misbehaving] = servers;
const child = spawn(command[0], command.slice(1), {
  stdio: "inherit",
  env: {
    ...process.env,
    PATCHBAY_TEST_POSTGRES_URL: postgresql.url,
    PATCHBAY_TEST_MYSQL: mariadb.url,
    PATCHBAY_TEST_REDIS: redis.url,
    PATCHBAY_TEST_MATRIX: matrix.path,
    PATCHBAY_TEST_OIDC: oidc.path,
    PATCHBAY_TEST_MISBEHAVING_OAUTH: misbehaving.url,
  },
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.on(signal, () => child.kill(signal));
const [code] = await once(child, "exit");
await Promise.all(servers.map((server) => server.stop()));
process.exit(code ?? 1);
