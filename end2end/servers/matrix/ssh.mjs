import { startSshd } from "../sshd.mjs";

export default async function ssh() {
  const { host, port, user, password, hostKey, otherHostKey, stop } = await startSshd();
  return {
    protocol: "SSH, by password", server: "OpenSSH 9.2 (Debian)", component: "ssh", method: "password",
    config: { host, port, user }, secrets: { password },
    changes: {
      "wrong password": { secrets: { password: "wrong" } },
      "wrong user": { config: { user: "nobody" } },
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
