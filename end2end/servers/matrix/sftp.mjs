import { startSshd } from "../sshd.mjs";

export default async function sftp() {
  const { host, port, user, visitor, key, foreignKey, hostKey, otherHostKey, stop } = await startSshd();
  return {
    protocol: "SFTP", server: "OpenSSH 9.2 (Debian)", component: "sftp", method: "private_key",
    config: { host, port, user }, secrets: { private_key: key },
    changes: {
      "wrong password": { secrets: { private_key: foreignKey } },
      "wrong user": { config: { user: "nobody" } },
      "missing permission": { config: { user: visitor } },
      "pinned host key": { config: { host_key: hostKey } },
      "another host key than the pinned": { config: { host_key: otherHostKey } },
    },
    left_out: {
      "right credential over TLS": "SSH encrypts by itself.",
      "TLS with a wrong name": "SSH has host keys in place of certificates.",
      "TLS expired": "SSH has host keys in place of certificates.",
    },
    stop,
  };
}
