import { startRedis } from "../redis.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function redis() {
  const { host, port, tlsPort, ca, user, password, visitor, stop } = await startRedis();
  const wrong = await wrongCertificates((flaw) => startTlsProxy(port, flaw));
  return {
    protocol: "Redis", server: "Redis 7.0 (Debian)", component: "redis", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { user: visitor } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await stop()),
  };
}
