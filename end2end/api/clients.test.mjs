// Clients that others' generators make of the OpenAPI document, against the server: they compile, and they work.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { python, run } from "../servers/process.mjs";
import { startApi } from "./server.mjs";

const root = resolve(import.meta.dirname, "../..");
const bin = (name) => join(root, "node_modules", ".bin", name);
const WALKED = { status: "active", listed: ["Rates"], tested: "active", authorization: "Bearer right-token", problem: "/problems/invalid-values", deleted: 204 };

let api, document, environment;

before(async () => {
  api = await startApi();
  const response = await fetch(`${api.url}/api/v1/openapi.json`, { headers: { authorization: `Bearer ${api.key}` } });
  assert.equal(response.status, 200);
  document = join(api.folder, "openapi.json");
  writeFileSync(document, await response.text());
  environment = { ...process.env, PATCHBAY_URL: api.url, PATCHBAY_API_KEY: api.key, SERVICE_URL: api.service.bearerUrl };
});
after(() => api.stop());

test("TypeScript: openapi-typescript and openapi-fetch", async () => {
  const folder = join(api.folder, "typescript");
  mkdirSync(folder);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  copyFileSync(join(import.meta.dirname, "clients", "walk.ts"), join(folder, "walk.ts"));
  await run(bin("openapi-typescript"), [document, "-o", join(folder, "schema.d.ts")]);
  const strict = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2022,dom"];
  await run(bin("tsc"), [...strict, join(folder, "walk.ts")], { cwd: folder });
  await run(bin("esbuild"), [join(folder, "walk.ts"), "--bundle", "--platform=node", "--format=esm", "--log-level=warning", `--outfile=${join(folder, "walk.mjs")}`]);
  assert.deepEqual(JSON.parse(await run(process.execPath, [join(folder, "walk.mjs")], { env: environment })), WALKED);
});

test("Python: openapi-python-client", async () => {
  const folder = join(api.folder, "python");
  const config = join(api.folder, "generator.json");
  writeFileSync(config, JSON.stringify({ package_name_override: "patchbay_client", project_name_override: "patchbay-client", post_hooks: [] }));
  const said = await run(join(dirname(python), "openapi-python-client"), ["generate", "--path", document, "--output-path", folder, "--config", config, "--fail-on-warning"]);
  assert.doesNotMatch(said, /warning/i);
  const walk = readFileSync(join(import.meta.dirname, "clients", "walk.py"), "utf8");
  writeFileSync(join(folder, "walk.py"), walk);
  assert.deepEqual(JSON.parse(await run(python, [join(folder, "walk.py")], { env: environment, cwd: folder })), WALKED);
});
