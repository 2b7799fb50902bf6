import { startMongodb } from "../mongodb.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function mongodb() {
  const { host, port, user, password, database, forbiddenDatabase, stop } = await startMongodb();
  const tls = await startTlsProxy(port);
  const wrong = await wrongCertificates((flaw) => startTlsProxy(port, flaw));
  return {
    protocol: "MongoDB", server: "a server of our own, because no package has a real one: it checks the SCRAM proof",
    component: "mongodb", method: "password",
    config: { host, port, user, database, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tls.port, tls: "verify", ca: tls.ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { database: forbiddenDatabase } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await tls.stop(), await stop()),
  };
}
