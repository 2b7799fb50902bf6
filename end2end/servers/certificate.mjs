// A certificate authority of our own and a certificate for `localhost` and 127.0.0.1, made by openssl.
import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.mjs";

/** Writes `ca.pem`, `server.pem` and `server.key` into the folder. */
export async function certificate(folder, owner) {
  const path = (name) => join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", [
    ...["req", "-x509", ...key, "-days", "2", "-subj", "/CN=Patchbay test authority"],
    ...["-keyout", path("ca.key"), "-out", path("ca.pem")],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  ]);
  writeFileSync(path("names.cnf"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
  await run("openssl", ["req", ...key, "-subj", "/CN=localhost", "-keyout", path("server.key"), "-out", path("server.csr")]);
  await run("openssl", [
    ...["x509", "-req", "-days", "2", "-in", path("server.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key")],
    ...["-CAcreateserial", "-extfile", path("names.cnf"), "-out", path("server.pem")],
  ]);
  chmodSync(path("server.key"), 0o600);
  if (owner) for (const name of ["ca.pem", "server.pem", "server.key"]) chownSync(path(name), owner.uid, owner.gid);
  return { ca: readFileSync(path("ca.pem"), "utf8"), cert: path("server.pem"), key: path("server.key"), authority: path("ca.pem") };
}
