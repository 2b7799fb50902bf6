// What the entries of `matrix/` have in common.
import { startSshd } from "./sshd.mjs";
import { startTlsProxy, wrongCertificates } from "./wrong-certificates.mjs";

/**
 * A protocol that is signed in to by user and password and encrypts by a command; a server of each flaw is started.
 * @param {(flaw?: string) => Promise<any>} start
 * @param {{ protocol: string, server: string, component: string, anyPermission: string, changes?: (server: any) => object }} entry
 *   `anyPermission`: why no permission is required; `changes`: further cases
 */
export async function byCommand(start, { protocol, server: name, component, anyPermission, changes = () => ({}) }) {
  const [server, wrong] = await Promise.all([start(), wrongCertificates(start, "starttls")]);
  const { host, port, ca, user, password } = server;
  return {
    protocol, server: name, component, method: "password",
    config: { host, port, user, tls: "off" }, secrets: { password },
    changes: {
      "right credential over TLS": { config: { tls: "starttls", ca } },
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
      ...changes(server),
      ...wrong.changes,
    },
    left_out: { "missing permission": anyPermission },
    stop: async () => (await wrong.stop(), await server.stop()),
  };
}

/**
 * OpenSSH, signed in to in one way.
 * @param {{ protocol: string, component?: string, method: string, right: (server: any) => object, wrong: (server: any) => object, changes?: (server: any) => object, leftOut?: object }} entry
 *   `right`, `wrong`: the secrets; `changes`: further cases; `leftOut`: further ones that do not apply
 */
export async function bySsh({ protocol, component = "ssh", method, right, wrong, changes = () => ({}), leftOut = {} }) {
  const server = await startSshd();
  const { host, port, user, hostKey, otherHostKey, stop } = server;
  const certificates = "SSH has host keys in place of certificates.";
  return {
    protocol, server: "OpenSSH 9.2 (Debian)", component, method,
    config: { host, port, user }, secrets: right(server),
    changes: {
      "wrong password": { secrets: wrong(server) },
      "wrong user": { config: { user: "nobody" } },
      ...changes(server),
      "pinned host key": { config: { host_key: hostKey } },
      "another host key than the pinned": { config: { host_key: otherHostKey } },
    },
    left_out: {
      "right credential over TLS": "SSH encrypts by itself.",
      "TLS with a wrong name": certificates, "TLS expired": certificates,
      ...leftOut,
    },
    stop,
  };
}

/**
 * A service over HTTP whose address is one field; a program in front of it encrypts.
 * @param {{ port: number, stop: () => Promise<unknown> }} server
 * @param {{ url: string, path?: string, changes: object, [more: string]: unknown }} entry
 *   `url`: the address's field; `path`: what stands behind the port; `changes`: the cases beside those of encryption
 */
export async function byHttp({ port, stop }, { path = "", config = {}, changes, ...entry }) {
  const at = (scheme, number) => ({ [entry.url]: `${scheme}://127.0.0.1:${number}${path}` });
  const atOnce = (flaw) => startTlsProxy(port, flaw);
  const to = (front) => ({ config: { ...at("https", front.port), ca: front.ca } });
  const [right, wrong] = await Promise.all([atOnce(), wrongCertificates(atOnce, to)]);
  return {
    ...entry,
    config: { ...at("http", port), ...config },
    changes: { "right credential over TLS": to(right), ...changes, ...wrong.changes },
    stop: async () => (await Promise.all([right.stop(), wrong.stop()]), await stop()),
  };
}
