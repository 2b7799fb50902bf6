import { startRabbitmq } from "../rabbitmq.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function mqtt3() {
  const { host, port, user, password, stop } = await startRabbitmq({ mqtt: true });
  const atOnce = (flaw) => startTlsProxy(port, flaw);
  const [right, wrong] = await Promise.all([atOnce(), wrongCertificates(atOnce)]);
  return {
    protocol: "MQTT 3.1.1", server: "RabbitMQ 3.10 (Debian), which speaks no MQTT 5; TLS by a program in front of it", component: "mqtt", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: right.port, tls: "verify", ca: right.ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "The check signs in; which topics a user may use shows only when one is used." },
    stop: async () => (await Promise.all([right.stop(), wrong.stop()]), await stop()),
  };
}
