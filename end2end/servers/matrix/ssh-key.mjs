import { startSshd } from "../sshd.mjs";

export default async function sshKey() {
  const { host, port, user, lockedKey, passphrase, foreignKey, hostKey, otherHostKey, stop } = await startSshd();
  return {
    protocol: "SSH, by private key", server: "OpenSSH 9.2 (Debian)", component: "ssh", method: "private_key",
    config: { host, port, user }, secrets: { private_key: lockedKey, passphrase },
    changes: {
      "wrong password": { secrets: { private_key: foreignKey } },
      "wrong user": { config: { user: "nobody" } },
      "wrong passphrase": { secrets: { passphrase: "wrong" } },
      "pinned host key": { config: { host_key: hostKey } },
      "another host key than the pinned": { config: { host_key: otherHostKey } },
    },
    left_out: {
      "right credential over TLS": "SSH encrypts by itself.",
      "missing permission": "An account may be for one purpose alone, so no permission is required.",
      "TLS with a wrong name": "SSH has host keys in place of certificates.",
      "TLS expired": "SSH has host keys in place of certificates.",
    },
    stop,
  };
}
