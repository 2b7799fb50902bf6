// Empties functions of a WebAssembly module that are never called, though tables name them, so that no compiler can
// tell. Goes by names: comes after wasm-bindgen, which keeps them, and before wasm-opt, which takes away what is left.

/**
 * The steps of hydrating lazily, which leptos keeps for each view and Patchbay does not use. These alone: functions
 * that are alike are one under either's name, and nothing else is like them.
 */
export const NEVER_CALLED = /::hydrate_async::\{\{closure\}\}(::\{\{closure\}\})*::h[0-9a-f]{16}$/;

const NAME_SECTION = 0;
const IMPORTS = 2;
const CODE = 10;
const FUNCTION_NAMES = 1;
/** No locals, `unreachable`, `end`: calling it after all stops the module with an error. */
const EMPTY = Buffer.from([0x00, 0x00, 0x0b]);

/** The module without the bodies of the functions that `pattern` names, and how many those were. */
export function trimmed(module, pattern = NEVER_CALLED) {
  const sections = [...sectionsOf(module)];
  const names = namesOf(sections);
  const first = sections.filter(({ id }) => id === IMPORTS).reduce((count, { body }) => count + importedFunctions(body), 0);
  let emptied = 0;
  const parts = sections.map(({ id, body }) => {
    if (id !== CODE) return [Buffer.from([id]), size(body.length), body];
    const reader = new Reader(body);
    const count = reader.number();
    const functions = [];
    for (let index = 0; index < count; index += 1) {
      const code = reader.bytes(reader.number());
      const unused = pattern.test(names.get(first + index) ?? "");
      emptied += unused ? 1 : 0;
      functions.push(unused ? EMPTY : code);
    }
    const written = Buffer.concat([size(count), ...functions.flatMap((code) => [size(code.length), code])]);
    return [Buffer.from([id]), size(written.length), written];
  });
  return { module: Buffer.concat([module.subarray(0, 8), ...parts.flat()]), emptied };
}

class Reader {
  constructor(bytes) {
    this.all = bytes;
    this.at = 0;
  }
  byte() {
    return this.all[this.at++];
  }
  /** An unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  bytes(length) {
    this.at += length;
    return this.all.subarray(this.at - length, this.at);
  }
  text() {
    return this.bytes(this.number()).toString("utf8");
  }
  get done() {
    return this.at >= this.all.length;
  }
}

function size(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Buffer.from([...bytes, value]);
}

function* sectionsOf(module) {
  const reader = new Reader(module.subarray(8));
  while (!reader.done) yield { id: reader.byte(), body: reader.bytes(reader.number()) };
}

function namesOf(sections) {
  const names = new Map();
  for (const { id, body } of sections) {
    const reader = new Reader(body);
    if (id !== NAME_SECTION || reader.text() !== "name") continue;
    while (!reader.done) {
      const kind = reader.byte();
      const part = new Reader(reader.bytes(reader.number()));
      if (kind !== FUNCTION_NAMES) continue;
      for (let left = part.number(); left > 0; left -= 1) names.set(part.number(), part.text());
    }
  }
  return names;
}

function importedFunctions(body) {
  const reader = new Reader(body);
  const limits = () => (reader.byte() & 1 ? [reader.number(), reader.number()] : [reader.number()]);
  // By kind: function, table, memory, global, exception.
  const skip = [() => reader.number(), () => (reader.byte(), limits()), limits, () => reader.bytes(2), () => (reader.byte(), reader.number())];
  let functions = 0;
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.text();
    reader.text();
    const kind = reader.byte();
    functions += kind === 0 ? 1 : 0;
    skip[kind]();
  }
  return functions;
}
