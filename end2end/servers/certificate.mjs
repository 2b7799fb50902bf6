// A certificate authority of our own and a certificate of its making, by openssl.
import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.mjs";

const HERE = ["DNS:localhost", "IP:127.0.0.1"];
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** @typedef {{ names?: string[], expired?: boolean }} Flaw what to have else than a certificate for this machine, valid for two days */

/** Two certificates that no client may take. */
export const flaws = { "TLS with a wrong name": { names: ["DNS:elsewhere.example"] }, "TLS expired": { expired: true } };

/**
 * Writes `ca.pem`, `server.pem` and `server.key` into the folder.
 * @param {{ uid: number, gid: number }} [owner] who shall have them
 * @param {Flaw} [flaw]
 */
export async function certificate(folder, owner, { names = HERE, expired = false } = {}) {
  const path = (name) => join(folder, name);
  await run("openssl", [
    ...["req", "-x509", ...KEY, "-days", "2", "-subj", "/CN=Patchbay test authority"],
    ...["-keyout", path("ca.key"), "-out", path("ca.pem")],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  await sign(path, "server", "localhost", `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\n`, expired);
  if (owner) for (const name of ["ca.pem", "server.pem", "server.key"]) chownSync(path(name), owner.uid, owner.gid);
  return { ca: readFileSync(path("ca.pem"), "utf8"), cert: path("server.pem"), key: path("server.key"), authority: path("ca.pem") };
}

/** A further certificate of the folder's authority, for a client of this name. */
export async function clientCertificate(folder, name) {
  const path = (file) => join(folder, file);
  await sign(path, "client", name, "extendedKeyUsage=clientAuth\n", false);
  return { certificate: readFileSync(path("client.pem"), "utf8"), key: readFileSync(path("client.key"), "utf8") };
}

/** Has the folder's authority sign a key of this file name. `openssl ca` alone sets the day it ends in the past. */
async function sign(path, file, subject, extensions, expired) {
  writeFileSync(path(`${file}.cnf`), extensions);
  writeFileSync(path("index.txt"), "");
  writeFileSync(path("ca.cnf"), [
    "[ca]", "default_ca = own", "[own]", `database = ${path("index.txt")}`, `new_certs_dir = ${path("")}`,
    "default_md = sha256", "rand_serial = yes", "policy = any", "[any]", "commonName = supplied", "",
  ].join("\n"));
  await run("openssl", ["req", ...KEY, "-subj", `/CN=${subject}`, "-keyout", path(`${file}.key`), "-out", path(`${file}.csr`)]);
  await run("openssl", [
    ...["ca", "-batch", "-notext", "-config", path("ca.cnf"), "-cert", path("ca.pem"), "-keyfile", path("ca.key")],
    ...["-in", path(`${file}.csr`), "-out", path(`${file}.pem`), "-extfile", path(`${file}.cnf`)],
    ...(expired ? ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"] : ["-days", "2"]),
  ]);
  chmodSync(path(`${file}.key`), 0o600);
}
