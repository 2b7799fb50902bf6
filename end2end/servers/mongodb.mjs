// What MongoDB says while a client signs in by SCRAM-SHA-256: no package has a real one.
// It knows one user, whose proof it checks and who has a role in one database.
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { decode, encode } from "./bson.mjs";

const user = "reporting";
const password = "Nightly-Orders-53";
const rounds = 15_000;
const OP_MSG = 2013;

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const hash = (bytes) => createHash("sha256").update(bytes).digest();
const refusal = { ok: 0, code: 18, codeName: "AuthenticationFailed", errmsg: "Authentication failed." };
const unauthorized = (command) => ({ ok: 0, code: 13, codeName: "Unauthorized", errmsg: `Command ${command} requires authentication` });

/** A conversation by RFC 5802: takes the client's messages in turn and answers each. */
function conversation() {
  const salt = randomBytes(28);
  let first, challenge;
  return {
    begin(message) {
      first = message.replace(/^n,,/, "");
      const [, name, nonce] = /^n=([^,]*),r=(.+)$/.exec(first) ?? [];
      if (name !== user) return undefined;
      return (challenge = `r=${nonce}${randomBytes(18).toString("base64")},s=${salt.toString("base64")},i=${rounds}`);
    },
    finish(message) {
      const [, unproved, proof] = /^(c=biws,r=[^,]+),p=(.+)$/.exec(message) ?? [];
      if (!challenge?.startsWith(unproved?.slice("c=biws,".length))) return undefined;
      const salted = pbkdf2Sync(password, salt, rounds, 32, "sha256");
      const messages = `${first},${challenge},${unproved}`;
      const storedKey = hash(hmac(salted, "Client Key"));
      const signature = hmac(storedKey, messages);
      const clientKey = Buffer.from(proof, "base64").map((byte, index) => byte ^ signature[index]);
      if (!timingSafeEqual(hash(clientKey), storedKey)) return undefined;
      return `v=${hmac(hmac(salted, "Server Key"), messages).toString("base64")}`;
    },
  };
}

const authInfo = {
  authenticatedUsers: [{ user, db: "admin" }],
  authenticatedUserRoles: [{ role: "readWrite", db: "orders" }],
  authenticatedUserPrivileges: [{ resource: { db: "orders", collection: "" }, actions: ["find", "insert"] }],
};

/** Answers commands of one connection. */
function session() {
  const talk = conversation();
  let signedIn = false;
  const said = (text, done) => (text ? { conversationId: 1, done, payload: Buffer.from(text), ok: 1 } : refusal);
  return (command) => {
    const [name] = Object.keys(command);
    switch (name) {
      case "hello": {
        const known = command.saslSupportedMechs === `admin.${user}` ? { saslSupportedMechs: ["SCRAM-SHA-256"] } : {};
        return { isWritablePrimary: true, maxWireVersion: 21, ...known, ok: 1 };
      }
      case "saslStart":
        return command.$db === "admin" && command.mechanism === "SCRAM-SHA-256" ? said(talk.begin(String(command.payload)), false) : refusal;
      case "saslContinue": {
        const proof = talk.finish(String(command.payload));
        signedIn = proof !== undefined;
        return said(proof, true);
      }
      case "connectionStatus":
        return signedIn ? { authInfo, ok: 1 } : unauthorized(name);
      default:
        return { ok: 0, code: 59, codeName: "CommandNotFound", errmsg: `no such command: '${name}'` };
    }
  };
}

/** @param {import("node:net").Socket} socket */
function serve(socket) {
  const answer = session();
  let read = Buffer.alloc(0);
  socket.on("error", () => {}).on("data", (bytes) => {
    read = Buffer.concat([read, bytes]);
    while (read.length >= 4 && read.length >= read.readInt32LE(0)) {
      const message = read.subarray(0, read.readInt32LE(0));
      read = read.subarray(message.length);
      if (message.readInt32LE(12) !== OP_MSG) return socket.destroy();
      const reply = encode(answer(decode(message.subarray(21))));
      const head = Buffer.alloc(21);
      [21 + reply.length, 1, message.readInt32LE(4), OP_MSG].forEach((value, index) => head.writeInt32LE(value, 4 * index));
      socket.write(Buffer.concat([head, reply]));
    }
  });
}

export async function startMongodb() {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    host: "127.0.0.1", port, user, password, database: "orders", forbiddenDatabase: "ledger",
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
