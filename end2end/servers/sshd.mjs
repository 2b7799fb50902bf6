// OpenSSH's server with accounts of its own: it sees a list of accounts that nobody else does (a mount namespace).
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort, run, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
/** May sign in, and transfer no files. */
const visitor = "visitor";
const password = "Nightly-Orders-59";
const passphrase = "Nightly-Orders-61";
const privileged = process.getuid?.() === 0;

/** A key pair; returns the fingerprint of its public half. */
async function keyPair(path, secret = "", type = "ed25519") {
  // One round: unlocking takes long by design.
  await run("ssh-keygen", ["-q", "-t", type, "-a", "1", "-N", secret, "-C", "", "-f", path]);
  const [, fingerprint] = (await run("ssh-keygen", ["-lf", `${path}.pub`])).split(" ");
  return fingerprint;
}

/** Whose rights the accounts have: nobody's, or where the server may not change to another user, its own. */
function owner() {
  const id = (flag) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return privileged ? { uid: id("-u"), gid: id("-g") } : userInfo();
}

/** The machine's list of accounts with two more. */
async function accounts(folder, { uid, gid }) {
  const hash = (await run("openssl", ["passwd", "-6", password])).trim();
  const line = (name) => `${name}:${hash}:${uid}:${gid}::${folder}:/bin/sh`;
  const others = readFileSync("/etc/passwd", "utf8");
  // Last: whoever looks up the name of the user id finds the machine's.
  return `${others}${[user, visitor].map(line).join("\n")}\n`;
}

/** @param {number} [at] the port, where another server was before */
export async function startSshd(at) {
  const runsAs = owner();
  const { folder, remove } = temporaryFolder("sshd", runsAs);
  const path = (name) => join(folder, name);
  const port = at ?? (await freePort());
  const [hostKey] = await Promise.all([
    keyPair(path("host")), keyPair(path("own")), keyPair(path("locked"), passphrase), keyPair(path("foreign")),
  ]);
  const otherHostKey = (await run("ssh-keygen", ["-lf", path("foreign.pub")])).split(" ")[1];
  writeFileSync(path("authorized"), ["own.pub", "locked.pub"].map((name) => readFileSync(path(name), "utf8")).join(""));
  writeFileSync(path("passwd"), await accounts(folder, runsAs));
  writeFileSync(path("config"), [
    `Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${path("host")}`, `AuthorizedKeysFile ${path("authorized")}`,
    "PidFile none", "UsePAM no", `AllowUsers ${user} ${visitor}`, "StrictModes no", "MaxStartups 100", "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp", `Match User ${visitor}`, "ForceCommand /bin/echo No files here.",
  ].join("\n"));
  // Debian's package makes it when the service starts.
  if (privileged) mkdirSync("/run/sshd", { recursive: true });
  const script = `mount --bind "$1" /etc/passwd && exec /usr/sbin/sshd -D -e -f "$2"`;
  const namespace = privileged ? ["--mount"] : ["--mount", "--map-current-user", "--keep-caps"];
  const server = start("unshare", [...namespace, "sh", "-c", script, "sh", path("passwd"), path("config")]);
  await server.says(/Server listening/);
  const text = (name) => readFileSync(path(name), "utf8");
  return {
    host: "127.0.0.1", port, user, visitor, password, passphrase, hostKey, otherHostKey,
    key: text("own"), lockedKey: text("locked"), foreignKey: text("foreign"),
    /** Everything it has noted. */
    output: () => server.output(),
    stop: async () => (await server.stop(), remove()),
  };
}
