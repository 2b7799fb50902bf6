import { startPostgresql } from "../postgresql.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function postgresql() {
  const [server, wrong] = await Promise.all([startPostgresql(), wrongCertificates(startPostgresql)]);
  const { host, port, ca, user, password, database, forbiddenDatabase, certified, client } = server;
  return {
    protocol: "PostgreSQL", server: "PostgreSQL 15 (Debian)", component: "postgresql", method: "password",
    config: { host, port, user, database, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { database: forbiddenDatabase } },
      "client certificate": {
        config: { user: certified, tls: "verify", ca, client_certificate: client.certificate },
        secrets: { password: "", client_key: client.key },
      },
      "client certificate missing": { config: { user: certified, tls: "verify", ca }, secrets: { password: "" } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
