// RabbitMQ with TLS beside plain AMQP, and two virtual hosts of which its user may use one.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-41";
// Debian's own wrapper insists on the user `rabbitmq`; this is what it calls.
const programs = "/usr/lib/rabbitmq/bin";

// As RabbitMQ keeps passwords: a salt, and the hash of salt and password.
function hashed(text) {
  const salt = randomBytes(4);
  return Buffer.concat([salt, createHash("sha256").update(salt).update(text).digest()]).toString("base64");
}

/** @param {{ mqtt?: boolean }} [speaks] MQTT 3.1.1 in place of AMQP: this release knows no later one */
export async function startRabbitmq({ mqtt = false } = {}) {
  const { folder, remove } = temporaryFolder("rabbitmq");
  const { ca, cert, key, authority } = await certificate(folder);
  const path = (name) => join(folder, name);
  const [port, tlsPort, epmdPort, distributionPort, mqttPort] = await Promise.all(Array.from({ length: 5 }, freePort));
  mkdirSync(path("data"));
  writeFileSync(path("plugins"), mqtt ? "[rabbitmq_mqtt].\n" : "[].\n");
  writeFileSync(path("definitions.json"), JSON.stringify({
    users: [{ name: user, password_hash: hashed(password), hashing_algorithm: "rabbit_password_hashing_sha256", tags: [] }],
    vhosts: [{ name: "/" }, { name: "orders" }],
    permissions: [{ user, vhost: "orders", configure: ".*", write: ".*", read: ".*" }],
  }));
  writeFileSync(path("rabbitmq.conf"), [
    `listeners.tcp.1 = 127.0.0.1:${port}`, `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
    `ssl_options.cacertfile = ${authority}`, `ssl_options.certfile = ${cert}`, `ssl_options.keyfile = ${key}`,
    "ssl_options.verify = verify_none", `load_definitions = ${path("definitions.json")}`, "loopback_users = none",
    "log.console = true", "log.console.level = info", "log.file = false",
    ...(mqtt ? [`mqtt.listeners.tcp.1 = 127.0.0.1:${mqttPort}`, "mqtt.vhost = orders", "mqtt.allow_anonymous = false"] : []), "",
  ].join("\n"));
  const env = {
    PATH: process.env.PATH, LANG: "C.UTF-8", HOME: folder, ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `patchbay-${port}@localhost`, RABBITMQ_CONFIG_FILE: path("rabbitmq.conf"), RABBITMQ_CONF_ENV_FILE: path("none"),
    RABBITMQ_MNESIA_BASE: path("data"), RABBITMQ_LOG_BASE: path("data"), RABBITMQ_ENABLED_PLUGINS_FILE: path("plugins"),
    RABBITMQ_DIST_PORT: String(distributionPort), RABBITMQ_PID_FILE: path("pid"),
    // Has the script become the server, instead of waiting for one that outlives it.
    RABBITMQ_ALLOW_INPUT: "1", RABBITMQ_SERVER_START_ARGS: "-noinput -start_epmd false",
  };
  const names = start("epmd", ["-port", String(epmdPort)], { env });
  await names.listensOn(epmdPort);
  const server = start(join(programs, "rabbitmq-server"), [], { env, cwd: folder });
  await server.says(/Server startup complete/, 60_000);
  return {
    host: "127.0.0.1", port: mqtt ? mqttPort : port, tlsPort, user, password, vhost: "orders", forbiddenVhost: "/", ca,
    /** What `rabbitmqctl` does and says. */
    control: (...words) => run(join(programs, "rabbitmqctl"), words, { env, cwd: folder }),
    stop: async () => (await server.stop(), await names.stop(), remove()),
  };
}
