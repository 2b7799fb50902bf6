// PostgreSQL with TLS and SCRAM, sorted by ICU en-US: a C collation hides faults.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate, clientCertificate } from "./certificate.mjs";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-17";
// Signs in by a certificate instead of a password.
const certified = "certified";
const administrator = "administrator";
const administratorPassword = "Only-For-Tests-23";

function binaries() {
  const root = "/usr/lib/postgresql";
  const newest = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0];
  return join(root, newest, "bin");
}

// The server refuses to run as root.
function owner() {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { name: "postgres", uid: id("-u"), gid: id("-g") };
}

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startPostgresql(flaw) {
  const bin = binaries();
  const runsAs = owner();
  const { folder, remove } = temporaryFolder("postgresql", runsAs);
  const data = join(folder, "data");
  const port = await freePort();
  const { ca, cert, key, authority } = await certificate(folder, runsAs, flaw);
  const client = await clientCertificate(folder, certified);
  writeFileSync(join(folder, "password"), administratorPassword);
  const options = { user: runsAs?.name, cwd: folder, env: { PATH: process.env.PATH, LANG: "C.UTF-8" } };
  await run(join(bin, "initdb"), [
    ...["-D", data, "-U", administrator, `--pwfile=${join(folder, "password")}`, "--auth=scram-sha-256", "--no-sync"],
    ...["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"],
  ], options);
  const rules = join(data, "pg_hba.conf");
  writeFileSync(rules, `hostssl all ${certified} all cert\n${readFileSync(rules, "utf8")}`);
  const settings = {
    port, listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off", max_connections: "200",
    ssl: "on", ssl_cert_file: cert, ssl_key_file: key, ssl_ca_file: authority,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = start(join(bin, "postgres"), ["-D", data, ...flags], { ...options, signal: "SIGINT" });
  await server.says(/ready to accept connections/);
  const sql = (text, database = "postgres") =>
    run(join(bin, "psql"), ["-qAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", String(port), "-U", administrator, "-c", text, database], {
      env: { PATH: process.env.PATH, PGPASSWORD: administratorPassword },
    });
  await sql(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`);
  await sql(`CREATE DATABASE orders OWNER ${user}`);
  await sql(`CREATE ROLE ${certified} LOGIN`);
  await sql("CREATE DATABASE ledger");
  await sql("REVOKE CONNECT ON DATABASE ledger FROM PUBLIC");
  return {
    host: "127.0.0.1", port, user, password, database: "orders", forbiddenDatabase: "ledger", ca, certified, client, sql,
    /** The maintenance database, as a role that may create databases. */
    url: `postgres://${administrator}:${administratorPassword}@127.0.0.1:${port}/postgres`,
    stop: async () => (await server.stop(), remove()),
  };
}
