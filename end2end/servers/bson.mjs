// As much of BSON (bsonspec.org) as signing in takes: documents, arrays, texts, bytes, yes and no, numbers.
import { Buffer } from "node:buffer";

const int32 = (value) => Buffer.from(new Int32Array([value]).buffer);
const double = (value) => Buffer.from(new Float64Array([value]).buffer);

/** @param {object} document whole numbers become 32 bits, but `ok`, which MongoDB sends as a double */
export function encode(document) {
  const elements = Object.entries(document).map(([key, value]) => {
    const [type, bytes] = encoded(key, value);
    return Buffer.concat([Buffer.from([type]), Buffer.from(`${key}\0`), bytes]);
  });
  const body = Buffer.concat(elements);
  return Buffer.concat([int32(body.length + 5), body, Buffer.from([0])]);
}

function encoded(key, value) {
  if (key === "ok") return [0x01, double(value)];
  if (typeof value === "number") return [0x10, int32(value)];
  if (typeof value === "boolean") return [0x08, Buffer.from([Number(value)])];
  if (typeof value === "string") return [0x02, Buffer.concat([int32(Buffer.byteLength(value) + 1), Buffer.from(`${value}\0`)])];
  if (Buffer.isBuffer(value)) return [0x05, Buffer.concat([int32(value.length), Buffer.from([0]), value])];
  return [Array.isArray(value) ? 0x04 : 0x03, encode(value)];
}

/** @param {Buffer} bytes */
export function decode(bytes) {
  const document = {};
  for (let at = 4; bytes[at] !== 0; ) {
    const type = bytes[at];
    const end = bytes.indexOf(0, at + 1);
    const key = bytes.toString("utf8", at + 1, end);
    const [value, length] = decoded(type, bytes.subarray(end + 1));
    document[key] = value;
    at = end + 1 + length;
  }
  return document;
}

function decoded(type, bytes) {
  const length = bytes.length >= 4 ? bytes.readInt32LE(0) : 0;
  switch (type) {
    case 0x01: return [bytes.readDoubleLE(0), 8];
    case 0x02: return [bytes.toString("utf8", 4, 3 + length), 4 + length];
    case 0x03: return [decode(bytes.subarray(0, length)), length];
    case 0x04: return [Object.values(decode(bytes.subarray(0, length))), length];
    case 0x05: return [bytes.subarray(5, 5 + length), 5 + length];
    case 0x08: return [bytes[0] === 1, 1];
    case 0x10: return [bytes.readInt32LE(0), 4];
    default: throw new Error(`no BSON type ${type} here`);
  }
}
