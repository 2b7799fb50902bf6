import { startMysql } from "../mysql.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function mysql() {
  const [server, wrong] = await Promise.all([startMysql(), wrongCertificates(startMysql)]);
  const { host, port, ca, user, password, database, forbiddenDatabase } = server;
  return {
    protocol: "MySQL, by caching_sha2_password", server: "a server of our own that does what MySQL 8.4 documents: Debian has no MySQL", component: "mysql", method: "password",
    config: { host, port, user, database, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { database: forbiddenDatabase } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
