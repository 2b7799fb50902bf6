// nats-server with a user and a password or with a token; TLS is offered after the greeting.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-41";
const token = "nightly-orders-token-43";

/**
 * @param {import("./certificate.mjs").Flaw} [flaw]
 * @param {{ byToken?: boolean, encrypted?: boolean }} [options]
 */
export async function startNats(flaw, { byToken = false, encrypted = true } = {}) {
  const { folder, remove } = temporaryFolder("nats");
  const port = await freePort();
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const settings = join(folder, "nats.conf");
  writeFileSync(settings, [
    `listen: "127.0.0.1:${port}"`,
    // A busy machine may need longer than the two seconds of the default.
    byToken ? `authorization { token: "${token}", timeout: 10 }` : `authorization { user: ${user}, password: "${password}", timeout: 10 }`,
    // Clients that do not encrypt are taken too.
    encrypted ? `tls { cert_file: "${cert}", key_file: "${key}", timeout: 10 }\nallow_non_tls: true` : "",
  ].join("\n"));
  const server = start("nats-server", ["-c", settings], { env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  await server.says(/Server is ready/);
  return { host: "127.0.0.1", port, user, password, token, ca, stop: async () => (await server.stop(), remove()) };
}
