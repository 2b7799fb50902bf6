import { startMosquitto } from "../mosquitto.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function mqtt() {
  const { host, port, tlsPort, ca, user, password, stop } = await startMosquitto();
  const wrong = await wrongCertificates((flaw) => startTlsProxy(port, flaw));
  return {
    protocol: "MQTT 5", server: "Mosquitto 2.0 (Debian)", component: "mqtt", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "verify", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "The check signs in; which topics a user may use shows only when one is used." },
    stop: async () => (await wrong.stop(), await stop()),
  };
}
