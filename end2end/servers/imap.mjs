// Dovecot: IMAP in clear text and with STARTTLS on one port, with TLS from the first byte on another.
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { certificate } from "./certificate.mjs";
import { freePort, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-43";

// It refuses to greet clients or read mail as root, and uses the users that its package made; others have but one.
function accounts() {
  const { username, uid, gid } = userInfo();
  const id = (...words) => execFileSync("id", words, { encoding: "utf8" }).trim();
  if (uid === 0) return { settings: "", uid: Number(id("-u", "dovecot")), gid: Number(id("-g", "dovecot")) };
  const settings = `default_login_user = ${username}\ndefault_internal_user = ${username}\ndefault_internal_group = ${id("-gn")}`;
  return { settings, uid, gid };
}

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startImap(flaw) {
  const { folder, remove } = temporaryFolder("imap");
  const [port, tlsPort] = await Promise.all([freePort(), freePort()]);
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const path = (name) => join(folder, name);
  const { settings, uid, gid } = accounts();
  // Its own users have to reach what is theirs within.
  chmodSync(folder, 0o711);
  mkdirSync(path("mail"));
  chownSync(path("mail"), uid, gid);
  writeFileSync(path("users"), `${user}:{PLAIN}${password}\n`);
  writeFileSync(path("dovecot.conf"), `
protocols = imap
base_dir = ${path("run")}
log_path = /dev/stderr
${settings}
first_valid_uid = ${uid}
first_valid_gid = ${gid}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <${cert}
ssl_key = <${key}
mail_location = maildir:${path("mail")}/%u
passdb {
  driver = passwd-file
  args = ${path("users")}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${path("mail")}
}
service imap-login {
  chroot =
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${tlsPort}
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`);
  const server = start("/usr/sbin/dovecot", ["-F", "-c", path("dovecot.conf")]);
  await server.listensOn(port);
  return { host: "127.0.0.1", port, tlsPort, user, password, ca, stop: async () => (await server.stop(), remove()) };
}
