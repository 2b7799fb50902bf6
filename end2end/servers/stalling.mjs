// A server of the PostgreSQL protocol that stops answering at a chosen moment, and knows when its client left.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { TLSSocket, createSecureContext } from "node:tls";
import { certificate } from "./certificate.mjs";
import { temporaryFolder } from "./process.mjs";

/** @typedef {"accept" | "tls" | "login"} Moment after which nothing more is said */

const SSL_REQUEST = 80877103;
const AUTHENTICATION_OK = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY_FOR_QUERY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** @param {Moment} moment */
export async function startStalling(moment) {
  const { folder, remove } = temporaryFolder("stalling");
  const { ca, cert, key } = await certificate(folder);
  const context = createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
  const sockets = new Set();
  let leave;
  const left = new Promise((resolve) => (leave = resolve));
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const gone = () => (sockets.delete(socket), leave(Date.now()));
    socket.once("close", gone);
    if (moment === "accept") ignore(socket);
    else greet(socket, context, moment, gone);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    host: "127.0.0.1", port, ca,
    /** Resolves with the moment (milliseconds) at which a client closed its connection. */
    left,
    /** Connections open right now. */
    open: () => sockets.size,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
      remove();
    },
  };
}

// Reads on, so that the client's leaving is seen.
const ignore = (socket) => socket.on("error", () => {}).resume();

/** @param {import("node:net").Socket} socket */
function greet(socket, context, moment, gone) {
  socket.once("data", (first) => {
    if (first.readInt32BE(4) !== SSL_REQUEST) return signIn(socket, moment);
    if (moment === "login") {
      socket.once("data", () => signIn(socket, moment));
      return socket.write("N");
    }
    socket.pause();
    socket.write("S");
    ignore(new TLSSocket(socket, { isServer: true, secureContext: context }).once("close", gone));
  });
}

function signIn(socket, moment) {
  if (moment === "login") socket.write(Buffer.concat([AUTHENTICATION_OK, READY_FOR_QUERY]));
  ignore(socket);
}
