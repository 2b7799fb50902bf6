import { startImap } from "../imap.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function imap() {
  const [server, wrong] = await Promise.all([startImap(), wrongCertificates(startImap, "starttls")]);
  const { host, port, tlsPort, ca, user, password } = server;
  return {
    protocol: "IMAP", server: "Dovecot 2.3 (Debian)", component: "imap", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "tls", ca } },
      "right credential over STARTTLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "Whoever signs in may read the mail of this user; there is no less." },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
