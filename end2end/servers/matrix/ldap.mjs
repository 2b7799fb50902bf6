import { startLdap } from "../ldap.mjs";
import { wrongCertificates } from "../wrong-certificates.mjs";

export default async function ldap() {
  const [server, wrong] = await Promise.all([startLdap(), wrongCertificates(startLdap, "starttls")]);
  const { host, port, tlsPort, ca, user, password, base, forbiddenBase } = server;
  return {
    protocol: "LDAP", server: "OpenLDAP 2.5 (Debian)", component: "ldap", method: "password",
    config: { host, port, user, base, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { port: tlsPort, tls: "tls", ca } },
      "right credential over STARTTLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: user.replace("reporting", "nobody") } },
      "missing permission": { config: { base: forbiddenBase } },
      ...wrong.changes,
    },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}
