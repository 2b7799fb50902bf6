// What MySQL 8.4 documents of signing in by caching_sha2_password, in full each time: the password over TLS, or encrypted
// by the server's key. https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
import { constants, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { TLSSocket } from "node:tls";
import { certificate } from "./certificate.mjs";
import { temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-67";
const [database, forbiddenDatabase] = ["orders", "ledger"];

const LONG_PASSWORD = 0x1, CONNECT_WITH_DB = 0x8, PROTOCOL_41 = 0x200, SSL = 0x800, SECURE_CONNECTION = 0x8000, PLUGIN_AUTH = 0x80000, LENENC_DATA = 0x200000;
const CAPABILITIES = LONG_PASSWORD | CONNECT_WITH_DB | PROTOCOL_41 | SSL | SECURE_CONNECTION | PLUGIN_AUTH | LENENC_DATA;
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const FULL_AUTHENTICATION = Buffer.from([1, 4]);
const REQUEST_PUBLIC_KEY = 2;
const COM_QUERY = 3;

const text = (words) => Buffer.concat([Buffer.from(words), Buffer.from([0])]);
const refusal = (code, state, words) => Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(`#${state}${words}`)]);
const lengthened = (words) => Buffer.concat([Buffer.from([Buffer.byteLength(words)]), Buffer.from(words)]);

/** @param {import("./certificate.mjs").Flaw} [flaw] */
export async function startMysql(flaw) {
  const { folder, remove } = temporaryFolder("mysql");
  const files = await certificate(folder, undefined, flaw);
  const tls = { isServer: true, cert: readFileSync(files.cert), key: readFileSync(files.key) };
  remove();
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    converse(socket, { tls, publicKey, privateKey }).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    host: "127.0.0.1", port, user, password, database, forbiddenDatabase, ca: files.ca,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Packets over a stream: three bytes of length, one of sequence. */
class Packets {
  sequence = 0;
  constructor(stream) {
    this.stream = stream;
  }
  async bytes(count) {
    for (;;) {
      const part = this.stream.read(count);
      if (part) return part;
      if (this.stream.readableEnded || this.stream.destroyed) throw new Error("the client left");
      await this.more();
    }
  }
  /** Resolves when there is more to read, or nothing any more. */
  more() {
    const events = ["readable", "end", "close"];
    return new Promise((resolve) => {
      const told = () => {
        for (const event of events) this.stream.off(event, told);
        resolve(undefined);
      };
      for (const event of events) this.stream.on(event, told);
    });
  }
  async read() {
    const head = await this.bytes(4);
    this.sequence = head[3] + 1;
    return this.bytes(head.readUIntLE(0, 3));
  }
  write(payload) {
    const head = Buffer.alloc(4);
    head.writeUIntLE(payload.length, 0, 3);
    head[3] = this.sequence++;
    this.stream.write(Buffer.concat([head, payload]));
  }
}

async function converse(socket, { tls, publicKey, privateKey }) {
  // None of its bytes ends a text.
  const nonce = Buffer.from(randomBytes(20).map((byte) => (byte & 0x7f) || 1));
  let packets = new Packets(socket);
  packets.write(greeting(nonce));
  let response = await packets.read();
  const encrypted = (response.readUInt32LE(0) & SSL) !== 0;
  if (encrypted) {
    const { sequence } = packets;
    const stream = new TLSSocket(socket, tls);
    stream.on("error", () => socket.destroy());
    packets = Object.assign(new Packets(stream), { sequence });
    response = await packets.read();
  }
  const { name, chosen } = whoAndWhere(response);
  packets.write(FULL_AUTHENTICATION);
  const given = encrypted ? await packets.read() : await decrypted(packets, nonce, publicKey, privateKey);
  if (name !== user || !given.equals(text(password))) {
    return refuse(packets, 1045, "28000", `Access denied for user '${name}'@'localhost' (using password: YES)`);
  }
  if (chosen === forbiddenDatabase) return refuse(packets, 1044, "42000", `Access denied for user '${name}'@'%' to database '${chosen}'`);
  if (chosen !== "" && chosen !== database) return refuse(packets, 1049, "42000", `Unknown database '${chosen}'`);
  packets.write(OK);
  for (;;) {
    const command = await packets.read();
    if (command[0] !== COM_QUERY) return packets.stream.end();
    if (!/CURRENT_USER\(\)/i.test(command.toString("latin1"))) return refuse(packets, 1064, "42000", "You have an error in your SQL syntax");
    oneRow(packets, `${user}@%`);
  }
}

function refuse(packets, ...why) {
  packets.write(refusal(...why));
  packets.stream.end();
}

function greeting(nonce) {
  const low = Buffer.alloc(7), high = Buffer.alloc(13);
  low.writeUInt16LE(CAPABILITIES & 0xffff, 0);
  low[2] = 45;
  low.writeUInt16LE(2, 3);
  low.writeUInt16LE(CAPABILITIES >>> 16, 5);
  high[0] = nonce.length + 1;
  const [first, rest] = [nonce.subarray(0, 8), nonce.subarray(8)];
  return Buffer.concat([Buffer.from([10]), text("8.4.0"), Buffer.from([7, 0, 0, 0]), first, Buffer.from([0]), low, high.subarray(0, 11), rest, Buffer.from([0]), text("caching_sha2_password")]);
}

/** The user and the database of a response to the greeting. */
function whoAndWhere(response) {
  const capabilities = response.readUInt32LE(0);
  const end = response.indexOf(0, 32);
  const name = response.toString("utf8", 32, end);
  const rest = response.subarray(end + 1);
  const after = rest.subarray(1 + (rest[0] ?? 0));
  const chosen = capabilities & CONNECT_WITH_DB ? after.toString("utf8", 0, after.indexOf(0)) : "";
  return { name, chosen };
}

async function decrypted(packets, nonce, publicKey, privateKey) {
  const request = await packets.read();
  if (request[0] !== REQUEST_PUBLIC_KEY) return Buffer.alloc(0);
  packets.write(Buffer.concat([Buffer.from([1]), Buffer.from(publicKey)]));
  const sent = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, await packets.read());
  return Buffer.from(sent.map((byte, at) => byte ^ nonce[at % nonce.length]));
}

/** A result of one column and one row, of text. */
function oneRow(packets, value) {
  const end = Buffer.from([0xfe, 0, 0, 2, 0]);
  const column = ["def", "", "", "", "CURRENT_USER()", ""].map(lengthened);
  packets.write(Buffer.from([1]));
  packets.write(Buffer.concat([...column, Buffer.from([12, 45, 0, 0, 1, 0, 0, 0xfd, 1, 0, 0, 0, 0])]));
  packets.write(end);
  packets.write(lengthened(value));
  packets.write(end);
}
