// OpenLDAP: LDAP in clear text and with StartTLS on one port, with TLS from the first byte on another.
// Its user may read one branch of the directory and not the other.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const suffix = "dc=acme,dc=example";
const user = `cn=reporting,${suffix}`;
const base = `ou=orders,${suffix}`;
const forbiddenBase = `ou=ledger,${suffix}`;
const password = "Nightly-Orders-47";
const environment = { PATH: `${process.env.PATH}:/usr/sbin` };

const entries = `
dn: ${suffix}
objectClass: dcObject
objectClass: organization
o: Acme

dn: ${user}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: ${password}

dn: ${base}
objectClass: organizationalUnit

dn: ${forbiddenBase}
objectClass: organizationalUnit
`;

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startLdap(flaw) {
  const { folder, remove } = temporaryFolder("ldap");
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const path = (name) => join(folder, name);
  mkdirSync(path("data"));
  writeFileSync(path("entries.ldif"), entries);
  writeFileSync(path("slapd.conf"), `
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
database mdb
suffix ${suffix}
directory ${path("data")}
access to dn.subtree="${forbiddenBase}" by * none
access to attrs=userPassword by * auth
access to * by users read by * auth
`);
  await run("slapadd", ["-f", path("slapd.conf"), "-l", path("entries.ldif")], { env: environment });
  const addresses = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`;
  const server = start("slapd", ["-f", path("slapd.conf"), "-h", addresses, "-d", "none"], { env: environment });
  await server.listensOn(port);
  return {
    host: "127.0.0.1", port, tlsPort, user, password, base, forbiddenBase, ca,
    stop: async () => (await server.stop(), remove()),
  };
}
