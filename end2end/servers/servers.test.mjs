// The servers take the right credential and refuse a wrong one; a test that trusts them proves nothing otherwise.
//   node --test end2end/servers/
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startAsDocumented } from "./as-documented.mjs";
import { startFtp } from "./ftp.mjs";
import { startHttpApi } from "./http-api.mjs";
import { startImap } from "./imap.mjs";
import { startLdap } from "./ldap.mjs";
import { startMariadb } from "./mariadb.mjs";
import { startMosquitto } from "./mosquitto.mjs";
import { startMysql } from "./mysql.mjs";
import { startNats } from "./nats.mjs";
import { startPostgresql } from "./postgresql.mjs";
import { answers, python, run, temporaryFolder } from "./process.mjs";
import { startRabbitmq } from "./rabbitmq.mjs";
import { startRedis } from "./redis.mjs";
import { startS3 } from "./s3.mjs";
import { startSmtp } from "./smtp.mjs";
import { startSshd } from "./sshd.mjs";
import { startStalling } from "./stalling.mjs";

/** Starts a server, and checks that after its stop nothing listens any more. */
function checked(name, starter, check) {
  test(name, { timeout: 60_000 }, async (context) => {
    const server = await starter();
    try {
      await check(server, context);
    } finally {
      await server.stop();
    }
    assert.equal(await answers(server.port), false);
  });
}

checked("PostgreSQL", startPostgresql, async ({ port, user, password, database }) => {
  const ask = (secret, mode) =>
    run("psql", ["-qAtc", "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()", `postgres://${user}:${secret}@127.0.0.1:${port}/${database}?sslmode=${mode}`]);
  assert.equal((await ask(password, "require")).trim(), `${user}|t`);
  assert.equal((await ask(password, "disable")).trim(), `${user}|f`);
  await assert.rejects(ask("wrong", "disable"), /password authentication failed/);
});

checked("MariaDB", startMariadb, async ({ port, user, password, database }) => {
  const ask = (secret, ...more) =>
    run("mariadb", ["--no-defaults", "-h127.0.0.1", `-P${port}`, `-u${user}`, `-p${secret}`, "-Ne", "select current_user()", ...more, database]);
  assert.match(await ask(password), /reporting@%/);
  assert.match(await ask(password, "--ssl"), /reporting@%/);
  await assert.rejects(ask("wrong"), /Access denied/);
});

// MariaDB's own client takes it for a MySQL, by either way of sending the password.
checked("MySQL", startMysql, async ({ port, user, password, database, forbiddenDatabase }) => {
  const ask = (secret, into, tls) =>
    run("mariadb", ["--no-defaults", "-h127.0.0.1", `-P${port}`, `-u${user}`, `-p${secret}`, "-Ne", "select current_user()", tls, into]);
  for (const tls of ["--ssl", "--skip-ssl"]) {
    assert.match(await ask(password, database, tls), /reporting@%/);
    await assert.rejects(ask("wrong", database, tls), /1045/);
    await assert.rejects(ask(password, forbiddenDatabase, tls), /1044/);
  }
});

for (const [name, path] of /** @type {const} */ ([["elasticsearch", "/_security/_authenticate"], ["opensearch", "/_plugins/_security/authinfo"], ["clickhouse", "/"]])) {
  checked(name, () => startAsDocumented(name), async ({ port, user, password }) => {
    const ask = (secret) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Basic ${btoa(`${user}:${secret}`)}` } });
    assert.match(await (await ask(password)).text(), /reporting/);
    assert.equal((await ask("wrong")).status, 401);
  });
}

checked("Redis", startRedis, async ({ port, user, password }) => {
  const ask = (secret) => run("redis-cli", ["-p", String(port), "--no-auth-warning", "--user", user, "--pass", secret, "ACL", "WHOAMI"]);
  assert.match(await ask(password), /^reporting/);
  assert.match(await ask("wrong"), /WRONGPASS/);
  assert.match(await run("redis-cli", ["-p", String(port), "PING"]), /NOAUTH/);
});

checked("RabbitMQ", startRabbitmq, async ({ user, password, vhost, forbiddenVhost, control }) => {
  assert.match(await control("authenticate_user", user, password), /Success/);
  await assert.rejects(control("authenticate_user", user, "wrong"), /invalid credentials/);
  assert.match(await control("list_permissions", "-p", vhost), new RegExp(`^${user}`, "m"));
  assert.doesNotMatch(await control("list_permissions", "-p", forbiddenVhost), new RegExp(`^${user}`, "m"));
});

checked("S3", startS3, async ({ endpoint, region, accessKeyId, secretAccessKey }) => {
  const program = `
import sys, boto3
key, secret = sys.argv[1:]
for service, call in (("s3", "list_buckets"), ("sts", "get_caller_identity")):
    client = boto3.client(service, endpoint_url="${endpoint}", region_name="${region}", aws_access_key_id=key, aws_secret_access_key=secret)
    try: print(service, getattr(client, call)())
    except Exception as error: print(service, error)
`;
  const ask = (key, secret) => run(python, ["-c", program, key, secret]);
  const right = await ask(accessKeyId, secretAccessKey);
  assert.match(right, /^s3 .*'Name': 'orders'/m);
  assert.match(right, /^sts .*user\/reporting/m);
  const wrong = await ask(accessKeyId, "x".repeat(40));
  assert.match(wrong, /^s3 .*SignatureDoesNotMatch/m);
  assert.match(wrong, /^sts .*SignatureDoesNotMatch/m);
  assert.match(await ask("AKIAIOSFODNN7EXAMPLE", secretAccessKey), /InvalidAccessKeyId/);
});

checked("SMTP", startSmtp, async ({ port, user, password }) => {
  const program = `
import smtplib, ssl, sys
secret, secure = sys.argv[1:]
client = smtplib.SMTP("127.0.0.1", ${port})
if secure == "yes": client.starttls(context=ssl._create_unverified_context())
try: print(client.login("${user}", secret))
except Exception as error: print(error)
try: print(client.mail("a@b.example"))
except Exception as error: print(error)
`;
  const ask = (secret, secure) => run(python, ["-c", program, secret, secure]);
  assert.match(await ask(password, "yes"), /^\(235.*\n\(250/);
  assert.match(await ask(password, "no"), /^\(235/);
  assert.match(await ask("wrong", "yes"), /^\(535.*\n\(530/);
});

checked("IMAP", startImap, async ({ port, tlsPort, user, password }) => {
  const program = `
import imaplib, ssl, sys
secret = sys.argv[1]
plain = imaplib.IMAP4("127.0.0.1", ${port})
plain.starttls(ssl._create_unverified_context())
for client in (plain, imaplib.IMAP4_SSL("127.0.0.1", ${tlsPort}, ssl_context=ssl._create_unverified_context())):
    try: print(client.login("${user}", secret), client.select())
    except Exception as error: print(error)
`;
  const ask = (secret) => run(python, ["-c", program, secret]);
  assert.equal((await ask(password)).match(/Logged in.*'OK'/g)?.length, 2);
  assert.equal((await ask("wrong")).match(/AUTHENTICATIONFAILED/g)?.length, 2);
});

/** Sends bytes, and returns what comes first that the pattern matches. */
async function exchange(port, bytes, pattern) {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  socket.write(bytes, "latin1");
  let answer = "";
  for await (const part of socket) {
    answer += part;
    if (pattern.test(answer)) break;
  }
  return answer;
}

checked("NATS", startNats, async ({ port, user, password }) => {
  const ask = (pass) => exchange(port, `CONNECT ${JSON.stringify({ verbose: false, user, pass })}\r\nPING\r\n`, /PONG|ERR/);
  assert.match(await ask(password), /^INFO \{.*"tls_available":true.*\r\nPONG/s);
  assert.match(await ask("wrong"), /-ERR 'Authorization Violation'/);
});

checked("NATS by token", () => startNats(undefined, { byToken: true, encrypted: false }), async ({ port, token }) => {
  const ask = (auth_token) => exchange(port, `CONNECT ${JSON.stringify({ verbose: false, auth_token })}\r\nPING\r\n`, /PONG|ERR/);
  assert.match(await ask(token), /PONG/);
  assert.match(await ask("wrong"), /-ERR 'Authorization Violation'/);
});

checked("MQTT", startMosquitto, async ({ port, user, password }) => {
  const text = (value) => `\0${String.fromCharCode(value.length)}${value}`;
  const ask = (secret) => {
    const body = `${text("MQTT")}\x04\xc2\0\x1e\0\0${text(user)}${text(secret)}`;
    return exchange(port, `\x10${String.fromCharCode(body.length)}${body}`, /^.{4}/s);
  };
  assert.equal(await ask(password), " \x02\0\0");
  assert.equal(await ask("wrong"), " \x02\0\x05");
});

checked("FTP", startFtp, async ({ port, user, password }) => {
  const program = `
import ftplib, ssl, sys
secret = sys.argv[1]
for client in (ftplib.FTP(), ftplib.FTP_TLS(context=ssl._create_unverified_context())):
    client.connect("127.0.0.1", ${port})
    try: print(client.login("${user}", secret), client.pwd())
    except Exception as error: print(error)
`;
  const ask = (secret) => run(python, ["-c", program, secret]);
  assert.equal((await ask(password)).match(/^230 .* \/$/gm)?.length, 2);
  assert.equal((await ask("wrong")).match(/^530 /gm)?.length, 2);
});

checked("SSH", startSshd, async ({ port, user, visitor, password, hostKey }) => {
  const options = ["PubkeyAuthentication=no", "NumberOfPasswordPrompts=1", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=DEBUG"];
  const ask = (secret, account) => {
    const { folder, remove } = temporaryFolder("askpass");
    const askpass = join(folder, "askpass");
    writeFileSync(askpass, `#!/bin/sh\necho '${secret}'\n`, { mode: 0o700 });
    const env = { PATH: process.env.PATH, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
    const words = [...options.flatMap((option) => ["-o", option]), "-p", String(port), `${account}@127.0.0.1`, "echo signed in"];
    return run("ssh", words, { env }).finally(remove);
  };
  const right = await ask(password, user);
  assert.match(right, /^signed in$/m);
  assert.ok(right.includes(`Server host key: ssh-ed25519 ${hostKey}`));
  assert.match(await ask(password, visitor), /^No files here\.$/m);
  await assert.rejects(ask("wrong", user), /Permission denied/);
});

checked("LDAP", startLdap, async ({ port, user, password, base, forbiddenBase }) => {
  const program = (name) => ["-x", "-H", `ldap://127.0.0.1:${port}`, "-D", user, "-w", name];
  const options = { env: { PATH: process.env.PATH, LDAPTLS_REQCERT: "never" } };
  assert.match(await run("ldapwhoami", [...program(password), "-ZZ"], options), new RegExp(`dn:${user}`));
  await assert.rejects(run("ldapwhoami", program("wrong"), options), /Invalid credentials/);
  assert.match(await run("ldapsearch", [...program(password), "-LLL", "-s", "base", "-b", base], options), /^dn:/m);
  await assert.rejects(run("ldapsearch", [...program(password), "-LLL", "-s", "base", "-b", forbiddenBase], options), /No such object/);
});

checked("HTTP API", startHttpApi, async (api) => {
  api.accept("right", "ops");
  api.accept("user:right", "ops");
  const ask = async (url, headers = {}) => {
    const answer = await fetch(url, { headers, redirect: "manual" });
    return answer.status;
  };
  for (const [secret, status] of /** @type {const} */ ([["right", 200], ["wrong", 401]])) {
    assert.equal(await ask(api.bearerUrl, { authorization: `Bearer ${secret}` }), status);
    assert.equal(await ask(api.headerUrl, { "x-api-key": secret }), status);
    assert.equal(await ask(`${api.queryUrl}?api_key=${secret}`), status);
    assert.equal(await ask(api.basicUrl, { authorization: `Basic ${btoa(`user:${secret}`)}` }), status);
  }
  api.behave(429);
  assert.equal(await ask(api.bearerUrl), 429);
  api.behave("redirect");
  assert.equal(await ask(api.bearerUrl), 302);
  api.behave("hang");
  await assert.rejects(fetch(api.bearerUrl, { signal: AbortSignal.timeout(200) }));
  for (let tries = 0; api.closedEarly() === 0 && tries < 50; tries += 1) await sleep(20);
  assert.equal(api.closedEarly(), 1);
});

for (const moment of /** @type {const} */ (["accept", "tls", "login"])) {
  checked(`stalling after ${moment}`, () => startStalling(moment), async (server, context) => {
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    context.after(() => socket.destroy());
    socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    if (moment !== "accept") assert.equal(String((await once(socket, "data"))[0]), moment === "tls" ? "S" : "N");
    assert.equal(server.open(), 1);
    socket.destroy();
    await server.left;
    assert.equal(server.open(), 0);
  });
}
