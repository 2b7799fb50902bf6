// Mosquitto with a password file, in clear text and with TLS.
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-47";

export async function startMosquitto() {
  const { folder, remove } = temporaryFolder("mosquitto");
  const [port, tlsPort] = [await freePort(), await freePort()];
  const { ca, cert, key } = await certificate(folder);
  const passwords = join(folder, "passwords");
  await run("mosquitto_passwd", ["-b", "-c", passwords, user, password]);
  const settings = join(folder, "mosquitto.conf");
  writeFileSync(settings, [
    // As root it would become another user, who may not read the folder.
    `user ${userInfo().username}`, "allow_anonymous false", `password_file ${passwords}`,
    `listener ${port} 127.0.0.1`,
    `listener ${tlsPort} 127.0.0.1`, `certfile ${cert}`, `keyfile ${key}`,
  ].join("\n"));
  const server = start("mosquitto", ["-c", settings], { env: { PATH: `${process.env.PATH}:/usr/sbin` } });
  await server.says(/mosquitto version .* running/);
  return { host: "127.0.0.1", port, tlsPort, user, password, ca, stop: async () => (await server.stop(), remove()) };
}
