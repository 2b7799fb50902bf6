import { startFtp } from "../ftp.mjs";
import { startTlsProxy, wrongCertificates } from "../wrong-certificates.mjs";

export default async function ftps() {
  const server = await startFtp();
  const { host, port, user, password } = server;
  const atOnce = (flaw) => startTlsProxy(port, flaw);
  const [right, wrong] = await Promise.all([atOnce(), wrongCertificates(atOnce, "tls")]);
  return {
    protocol: "FTPS, with TLS from the start", server: "pyftpdlib 2.2 (PyPI) behind TLS", component: "ftp", method: "password",
    config: { host, port: right.port, user, tls: "tls", ca: right.ca }, secrets: { password },
    changes: {
      "right credential over TLS": {},
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...wrong.changes,
    },
    left_out: { "missing permission": "An account may be for fetching or for delivering alone, so no permission is required." },
    stop: async () => (await Promise.all([right.stop(), wrong.stop()]), await server.stop()),
  };
}
