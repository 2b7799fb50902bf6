import { startRedis } from "../redis.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function redis() {
  const [{ host, port, tlsPort, ca, user, password, visitor, stop }, strict] = await Promise.all([startRedis(), startRedis("yes")]);
  const wrong = await wrongCertificates((flaw) => startTlsProxy(port, flaw));
  return {
    protocol: "Redis", server: "Redis 7.0 (Debian)", component: "redis", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { user: visitor } },
      "client certificate": {
        config: { port: strict.tlsPort, tls: "verify", ca: strict.ca, client_certificate: strict.client.certificate },
        secrets: { client_key: strict.client.key },
      },
      "client certificate missing": { config: { port: strict.tlsPort, tls: "verify", ca: strict.ca } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await strict.stop(), await stop()),
  };
}
