// An SMTP server with AUTH PLAIN and LOGIN, and STARTTLS.
import { fileURLToPath } from "node:url";
import { certificate } from "./certificate.mjs";
import { freePort, python, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-37";

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startSmtp(flaw) {
  const { folder, remove } = temporaryFolder("smtp");
  const port = await freePort();
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const script = fileURLToPath(new URL("smtp.py", import.meta.url));
  const server = start(python, [script, String(port), user, password, cert, key]);
  await server.says(/^ready$/m);
  return { host: "127.0.0.1", port, user, password, ca, stop: async () => (await server.stop(), remove()) };
}
