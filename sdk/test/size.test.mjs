// What a page of another product loads stays small.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { transformSync } from "esbuild";

const source = readFileSync(new URL("../patchbay.js", import.meta.url), "utf8");

test("the module is under 5 KB compressed, as scripts/site.mjs serves it", () => {
  const { code } = transformSync(source, { minify: true, format: "esm" });
  const brotli = brotliCompressSync(code).length, gzip = gzipSync(code, { level: 9 }).length;
  console.log(`brotli ${brotli}, gzip ${gzip} bytes`);
  assert.ok(Math.max(brotli, gzip) < 5_000, `brotli ${brotli}, gzip ${gzip}`);
});

test("the module depends on nothing and runs no text as code", () => {
  assert.doesNotMatch(source, /^import\s|[^.]\bimport\s*\((?!")|\beval\b|new Function|innerHTML|setAttribute\("style"/m);
});

test("a server that renders pages can load it", async () => {
  const sdk = await import("../patchbay.js");
  assert.deepEqual(Object.keys(sdk).sort(), ["PatchbayConnections", "createConnection", "mount", "pickConnection", "reconnect"]);
});
