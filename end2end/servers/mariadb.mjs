// MariaDB with TLS offered.
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-29";

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startMariadb(flaw) {
  const { folder, remove } = temporaryFolder("mariadb");
  const data = join(folder, "data");
  const port = await freePort();
  const { ca, cert, key, authority } = await certificate(folder, undefined, flaw);
  // Each removes what it takes for leftovers in the temporary folder: two at once would take each other's.
  const env = { PATH: `${process.env.PATH}:/usr/sbin`, TMPDIR: folder };
  const as = `--user=${userInfo().username}`;
  await run("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, as, "--skip-test-db", "--auth-root-authentication-method=normal"], { env });
  const first = join(folder, "first.sql");
  writeFileSync(first, [
    "CREATE DATABASE orders;", "CREATE DATABASE ledger;",
    `CREATE USER '${user}'@'%' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON orders.* TO '${user}'@'%';`,
  ].join("\n"));
  const server = start("mariadbd", [
    "--no-defaults", `--datadir=${data}`, as, `--port=${port}`, "--bind-address=127.0.0.1", "--skip-name-resolve",
    `--socket=${join(folder, "socket")}`, `--init-file=${first}`, "--innodb-flush-log-at-trx-commit=0",
    `--ssl-ca=${authority}`, `--ssl-cert=${cert}`, `--ssl-key=${key}`,
  ], { env });
  await server.says(/ready for connections/);
  return {
    host: "127.0.0.1", port, user, password, database: "orders", forbiddenDatabase: "ledger", ca,
    url: `mysql://${user}:${password}@127.0.0.1:${port}/orders`,
    stop: async () => (await server.stop(), remove()),
  };
}
