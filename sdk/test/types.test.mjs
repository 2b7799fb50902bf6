// The hand-written types hold, and say what the module exports.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import ts from "typescript";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

test("the types take what they must and refuse the rest", () => {
  const options = {
    strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"], types: [], paths: { "@patchbay/embed": [file("../patchbay.d.ts")] },
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file("usage.ts")], options));
  assert.deepEqual(found.map(({ messageText, start }) => `${start}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`), []);
});

test("the types name every export, and no other", async () => {
  const declared = [...readFileSync(file("../patchbay.d.ts"), "utf8").matchAll(/^export (?:declare )?(?:function|class|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(await import("../patchbay.js")).sort());
});
