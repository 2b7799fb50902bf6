import { startMariadb } from "../mariadb.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function mariadb() {
  const [server, wrong] = await Promise.all([startMariadb(), wrongCertificates(startMariadb)]);
  const { host, port, ca, user, password, database, forbiddenDatabase } = server;
  return {
    protocol: "MariaDB", server: "MariaDB 10.11 (Debian)", component: "mariadb", method: "password",
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
