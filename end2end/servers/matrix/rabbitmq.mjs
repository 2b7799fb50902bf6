import { startRabbitmq } from "../rabbitmq.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function rabbitmq() {
  const { host, port, tlsPort, ca, user, password, vhost, forbiddenVhost, stop } = await startRabbitmq();
  const wrong = await wrongCertificates((flaw) => startTlsProxy(port, flaw));
  return {
    protocol: "AMQP 0-9-1", server: "RabbitMQ 3.10 (Debian)", component: "rabbitmq", method: "password",
    config: { host, port, user, vhost, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { vhost: forbiddenVhost } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await stop()),
  };
}
