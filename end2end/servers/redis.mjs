// Redis whose default user has a password, beside two users of an access control list; one may hardly do a thing.
// It takes connections in clear text, with TLS, and with TLS and a certificate of the client.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate, clientCertificate } from "./certificate.mjs";
import { freePort, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-31";

const visitor = "visitor";

/** @param {"optional" | "yes"} clients whether who comes with TLS has to have a certificate */
export async function startRedis(clients = "optional") {
  const { folder, remove } = temporaryFolder("redis");
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const { ca, cert, key, authority } = await certificate(folder);
  const client = await clientCertificate(folder, user);
  const settings = join(folder, "redis.conf");
  writeFileSync(settings, [
    `port ${port}`, "bind 127.0.0.1", `dir ${folder}`, 'save ""', "appendonly no",
    `tls-port ${tlsPort}`, `tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${authority}`, `tls-auth-clients ${clients}`,
    `user default on >${password}-default ~* &* +@all`,
    `user ${user} on >${password} ~* &* +@all`,
    `user ${visitor} on >${password} ~* &* -@all +ping`,
  ].join("\n"));
  const server = start("redis-server", [settings]);
  await server.says(/Ready to accept connections/);
  return {
    host: "127.0.0.1", port, tlsPort, ca, user, password, visitor, client,
    url: `redis://${user}:${password}@127.0.0.1:${port}`,
    stop: async () => (await server.stop(), remove()),
  };
}
