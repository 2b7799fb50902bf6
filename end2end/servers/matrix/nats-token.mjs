import { startNats } from "../nats.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function natsToken() {
  const server = await startNats(undefined, { byToken: true, encrypted: false });
  const { host, port, token } = server;
  const atOnce = (flaw) => startTlsProxy(port, flaw);
  const [right, wrong] = await Promise.all([atOnce(), wrongCertificates(atOnce, "tls")]);
  return {
    protocol: "NATS, by token, with TLS from the start", server: "nats-server 2.9 (Debian)", component: "nats", method: "token",
    config: { host, port, tls: "off" }, secrets: { token },
    changes: {
      "right credential over TLS": { config: { port: right.port, tls: "tls", ca: right.ca } },
      "wrong password": { secrets: { token: "wrong" } },
      ...wrong.changes,
    },
    left_out: {
      "wrong user": "A token stands for its user.",
      "missing permission": "The check signs in; which subjects a user may use shows only when one is used.",
    },
    stop: async () => (await Promise.all([right.stop(), wrong.stop()]), await server.stop()),
  };
}
