// What a machine's environment and home folder offer to drivers: a check uses what was typed, and nothing else.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { startHttpApi } from "../servers/http-api.mjs";
import { startMariadb } from "../servers/mariadb.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { temporaryFolder } from "../servers/process.mjs";
import { startRedis } from "../servers/redis.mjs";
import { startS3 } from "../servers/s3.mjs";
import { startSshd } from "../servers/sshd.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest, type NewConnection } from "../fixtures/rest.ts";
import { expect, test } from "@playwright/test";

const running = promisify(execFile);

/** Listens at a port and at a socket in the file system, and counts who comes. */
async function startSentinel(folder: string) {
  let heard = 0;
  const listeners = [{ port: 0, host: "127.0.0.1" }, { path: join(folder, "agent") }].map((place) =>
    createServer((socket) => {
      heard += 1;
      socket.on("error", () => {}).destroy();
    }).listen(place));
  await Promise.all(listeners.map((listener) => once(listener, "listening")));
  return {
    port: (listeners[0]!.address() as { port: number }).port,
    agent: join(folder, "agent"),
    heard: () => heard,
    forget: () => void (heard = 0),
    stop: () => Promise.all(listeners.map((listener) => (listener.close(), once(listener, "close")))),
  };
}

async function startServers() {
  const [postgresql, mariadb, redis, s3, sshd, api] = await Promise.all([startPostgresql(), startMariadb(), startRedis(), startS3(), startSshd(), startHttpApi()]);
  api.accept("right-token");
  return { postgresql, mariadb, redis, s3, sshd, api, stop: () => Promise.all([postgresql, mariadb, redis, s3, sshd, api].map((server) => server.stop())) };
}

type Servers = Awaited<ReturnType<typeof startServers>>;

/** Every right secret, and the way to the sentinel, in all the places that drivers look at. */
function baits({ postgresql, mariadb, redis, s3, sshd }: Servers, sentinel: { port: number; agent: string }, home: string): Record<string, string> {
  const [elsewhere, port] = [`http://127.0.0.1:${sentinel.port}`, String(sentinel.port)];
  const file = (name: string, lines: string[]) => writeFileSync(join(home, name), `${lines.join("\n")}\n`, { mode: 0o600 });
  for (const name of [".ssh", ".aws"]) mkdirSync(join(home, name));
  file(".pgpass", [`*:*:*:*:${postgresql.password}`]);
  file(".pg_service.conf", ["[bait]", "host=127.0.0.1", `port=${port}`]);
  file(".my.cnf", ["[client]", `password=${mariadb.password}`, "host=127.0.0.1", `port=${port}`]);
  file(".netrc", ["machine 127.0.0.1 login reporting password right-token"]);
  file(".curlrc", [`proxy = ${elsewhere}`]);
  file(".ssh/id_ed25519", [sshd.key.trimEnd()]);
  file(".ssh/config", ["Host *", `  ProxyCommand nc 127.0.0.1 ${port}`]);
  file(".aws/credentials", ["[default]", `aws_access_key_id = ${s3.accessKeyId}`, `aws_secret_access_key = ${s3.secretAccessKey}`]);
  file(".aws/config", ["[default]", `endpoint_url = ${elsewhere}`, "region = eu-central-9"]);
  const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY"].flatMap((name) => [[name, elsewhere], [name.toLowerCase(), elsewhere]]);
  return {
    HOME: home, ...Object.fromEntries(proxies), NO_PROXY: "", no_proxy: "",
    PGHOST: "127.0.0.1", PGHOSTADDR: "127.0.0.1", PGPORT: port, PGUSER: "intruder", PGPASSWORD: postgresql.password,
    PGDATABASE: "ledger", PGSERVICE: "bait", PGPASSFILE: join(home, ".pgpass"), PGSSLMODE: "require", PGOPTIONS: "-c nonsense=1",
    MYSQL_HOST: "127.0.0.1", MYSQL_TCP_PORT: port, MYSQL_PWD: mariadb.password, MYSQL_HOME: home,
    REDIS_URL: `redis://127.0.0.1:${port}`, REDISCLI_AUTH: redis.password,
    AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey, AWS_SESSION_TOKEN: "bait", AWS_PROFILE: "default",
    AWS_REGION: "eu-central-9", AWS_ENDPOINT_URL: elsewhere, AWS_ENDPOINT_URL_S3: elsewhere, AWS_EC2_METADATA_SERVICE_ENDPOINT: elsewhere,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: elsewhere, AWS_SHARED_CREDENTIALS_FILE: join(home, ".aws/credentials"),
    SSH_AUTH_SOCK: sentinel.agent, GOOGLE_APPLICATION_CREDENTIALS: join(home, ".aws/credentials"),
  };
}

/** Connections as they are typed; what was typed decides which become ACTIVE. */
function connections({ postgresql, mariadb, redis, s3, sshd, api }: Servers): { right: NewConnection; wrong: NewConnection }[] {
  const database = { database: "orders", tls: "off" };
  const at = ({ host, port, user }: { host: string; port: number; user: string }) => ({ host, port: String(port), user });
  const pair = (name: string, method: string, values: Record<string, string>, right: Record<string, string>, wrong: Record<string, string>) => {
    const make = (kind: string, secrets: Record<string, string>) => ({ name: `${name} by ${method}, ${kind}`, component: name, method, values: { ...values, ...secrets } });
    return { right: make("right", right), wrong: make("wrong", wrong) };
  };
  const { password } = postgresql;
  return [
    // Without a password, as the environment has the right one.
    pair("postgresql", "password", { ...at(postgresql), ...database }, { password }, {}),
    pair("mariadb", "password", { ...at(mariadb), ...database }, { password: mariadb.password }, {}),
    pair("redis", "password", { ...at(redis), tls: "off" }, { password: redis.password }, {}),
    pair("s3-compatible", "access_key", { endpoint: s3.endpoint, access_key_id: s3.accessKeyId, bucket: s3.bucket }, { secret_access_key: s3.secretAccessKey }, { secret_access_key: "x".repeat(40) }),
    pair("ssh", "private_key", at(sshd), { private_key: sshd.key }, { private_key: sshd.foreignKey }),
    pair("http", "bearer", { base_url: api.bearerUrl, test_path: "/me" }, { token: "right-token" }, { token: "wrong-token" }),
    pair("http", "basic", { base_url: api.basicUrl, test_path: "/me", user: "nobody" }, { password: "right" }, { password: "wrong" }),
  ];
}

test("a check uses what was typed: not the environment's passwords, hosts and proxies, nor the home folder's", async () => {
  test.setTimeout(120_000);
  const { folder: home, remove } = temporaryFolder("home");
  const [servers, sentinel] = await Promise.all([startServers(), startSentinel(home)]);
  servers.api.accept("nobody:right");
  const environment = baits(servers, sentinel, home);

  await test.step("the baits are good: other programs take them", async () => {
    const env = { PATH: process.env.PATH, ...environment };
    await running("curl", ["--silent", "--max-time", "5", servers.api.url], { env }).catch(() => {});
    expect(sentinel.heard()).toBe(1);
    await running("ssh-add", ["-l"], { env, timeout: 5_000 }).catch(() => {});
    expect(sentinel.heard()).toBe(2);
    const { PGHOSTADDR, PGSERVICE, PGOPTIONS, ...login } = env;
    const { host, port, user } = servers.postgresql;
    const { stdout } = await running("psql", ["-w", "-qAt", "-h", host, "-p", String(port), "-U", user, "-c", "SELECT 1", "orders"], { env: login });
    expect(stdout).toBe("1\n");
    sentinel.forget();
  });

  const patchbay = await Patchbay.start({ environment });
  const rest = new Rest(patchbay);
  for (const { right, wrong } of connections(servers)) {
    for (const [connection, outcome] of [[right, "accepted"], [wrong, "refused"]] as const) {
      const { id } = await rest.create(connection);
      await rest.request("POST", `/connections/${id}/test`);
      const { checks } = (await rest.get(id)) as unknown as { checks: { outcome: string; message: string }[] };
      expect.soft(checks.map((check) => check.outcome), `${connection.name}: ${checks[0]?.message}`).toEqual([outcome]);
    }
  }
  expect(sentinel.heard()).toBe(0);
  await patchbay.stop();
  await sentinel.stop();
  await servers.stop();
  remove();
});
