// Servers whose certificate no client may take, and a proxy that makes one of any server.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { certificate, flaws } from "./certificate.mjs";
import { temporaryFolder } from "./process.mjs";

/**
 * Encryption from the first byte in front of a server that has none, or has a better certificate.
 * @param {number} target the server's port
 * @param {import("./certificate.mjs").Flaw} [flaw]
 */
export async function startTlsProxy(target, flaw) {
  const { folder, remove } = temporaryFolder("tls");
  const { ca, cert, key } = await certificate(folder, undefined, flaw);
  const sockets = new Set();
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    const behind = connect(target, "127.0.0.1");
    for (const [one, other] of [[socket, behind], [behind, socket]]) {
      sockets.add(one);
      one.on("error", () => other.destroy()).once("close", () => sockets.delete(one)).pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  remove();
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    port, ca,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * The cases of the matrix in which a certificate is wrong.
 * @param {(flaw: import("./certificate.mjs").Flaw) => Promise<{ port: number, ca: string, stop: () => Promise<unknown> }>} starter
 * @param {string | ((server: { port: number, ca: string }) => object)} [tls] the choice of encryption, or what else the cases have than the right one
 */
export async function wrongCertificates(starter, tls = "verify") {
  const servers = await Promise.all(Object.values(flaws).map(starter));
  const change = typeof tls === "function" ? tls : ({ port, ca }) => ({ config: { port, tls, ca } });
  return {
    changes: Object.fromEntries(Object.keys(flaws).map((name, index) => [name, change(servers[index])])),
    stop: () => Promise.all(servers.map((server) => server.stop())),
  };
}
