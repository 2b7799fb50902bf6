// An FTP server with AUTH TLS, whose one account may look and fetch.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { certificate } from "./certificate.mjs";
import { freePort, python, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-53";

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startFtp(flaw) {
  const { folder, remove } = temporaryFolder("ftp");
  const port = await freePort();
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const files = join(folder, "files");
  mkdirSync(files);
  const script = fileURLToPath(new URL("ftp.py", import.meta.url));
  const server = start(python, [script, String(port), user, password, files, cert, key]);
  await server.says(/^ready$/m);
  return { host: "127.0.0.1", port, user, password, ca, stop: async () => (await server.stop(), remove()) };
}
