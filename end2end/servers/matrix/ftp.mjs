import { startFtp } from "../ftp.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function ftp() {
  const [server, wrong] = await Promise.all([startFtp(), wrongCertificates(startFtp, "starttls")]);
  const { host, port, ca, user, password } = server;
  return {
    protocol: "FTP and FTPS", server: "pyftpdlib 2.2 (PyPI)", component: "ftp", method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "An account may be for fetching or for delivering alone, so no permission is required." },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
