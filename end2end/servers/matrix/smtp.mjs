import { startSmtp } from "../smtp.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function smtp() {
  const [server, wrong] = await Promise.all([startSmtp(), wrongCertificates(startSmtp, "starttls")]);
  const { host, port, ca, user, password } = server;
  return {
    protocol: "SMTP", server: "aiosmtpd 1.4 (PyPI)", component: "smtp", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "The check signs in and sends nothing; whose mail a user may send shows only then." },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
