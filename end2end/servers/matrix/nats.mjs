import { startNats } from "../nats.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function nats() {
  const [server, wrong] = await Promise.all([startNats(), wrongCertificates(startNats, "starttls")]);
  const { host, port, ca, user, password } = server;
  return {
    protocol: "NATS", server: "nats-server 2.9 (Debian)", component: "nats", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "The check signs in; which subjects a user may use shows only when one is used." },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
