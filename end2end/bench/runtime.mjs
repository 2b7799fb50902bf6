// Credential fetches against the reference handler, the proxy against a direct call, and memory under load, on SQLite and
// on PostgreSQL: rounds in turns, medians.
//   node end2end/bench/runtime.mjs [--ten-minutes]
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgresql } from "../servers/postgresql.mjs";
import { cache, freePort, run, start, temporaryFolder } from "../servers/process.mjs";
import { load, prepared } from "./load.mjs";
import { untilReady } from "./ready.mjs";

const ROUNDS = 5;
const CLIENTS = 64;
const PROXIED = 400;
const release = join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "release");
const binary = process.env.PATCHBAY_BINARY ?? join(release, "patchbay");
const underLoad = process.argv.includes("--ten-minutes") ? 600_000 : 30_000;

const median = (figures) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)];

/** A service on loopback that takes one token. */
async function service() {
  const server = createServer((request, answer) => {
    answer.statusCode = request.headers.authorization === "Bearer bench-token" ? 200 : 401;
    answer.setHeader("content-type", "application/json");
    answer.end('{"ok":true}');
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { port: server.address().port, stop: () => server.close() };
}

/** Patchbay with one ACTIVE connection to the service, and a key that may use it. */
async function patchbay(database, port) {
  const { folder, remove } = temporaryFolder("bench-runtime");
  const own = await freePort();
  const env = {
    PATH: process.env.PATH, HOME: folder, PATCHBAY_ADDRESS: `127.0.0.1:${own}`, PATCHBAY_DATA_DIR: join(folder, "data"),
    PATCHBAY_LIMITS_KEY_REQUESTS_PER_SECOND: "1000000", ...(database ? { PATCHBAY_DATABASE_URL: database } : {}),
  };
  const server = start(binary, ["serve"], { env, cwd: folder });
  await untilReady(own);
  const permissions = ["use", "write", "credentials"].flatMap((permission) => ["--permission", permission]);
  const key = (await run(binary, ["api-key", "create", "--name", "bench", "--environment", "production", ...permissions], { env, cwd: folder })).trim().split("\n")[0];
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const values = { base_url: `http://127.0.0.1:${port}`, token: "bench-token", test_path: "/me" };
  const body = JSON.stringify({ environment: "production", component: "http", method: "bearer", name: "bench", values });
  const created = await fetch(`http://127.0.0.1:${own}/api/v1/connections`, { method: "POST", headers, body });
  const connection = await created.json();
  if (connection.status !== "active") throw new Error(`not active: ${JSON.stringify(connection)}`);
  return {
    port: own, headers, id: connection.id, url: database ?? `sqlite://${join(folder, "data", "patchbay.db")}`,
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) / 1024,
    stop: async () => (await server.stop(), remove()),
  };
}

async function fetches(store, server) {
  const reference = start(join(release, "examples", "reference"), [server.url, server.id]);
  const referencePort = Number((await reference.says(/listening on 127\.0\.0\.1:(\d+)/))[1]);
  const sides = {
    reference: { port: referencePort, request: prepared({ port: referencePort, path: "/" }) },
    fetch: { port: server.port, request: prepared({ port: server.port, path: `/api/v1/connections/${server.id}/credentials`, headers: server.headers }) },
  };
  const figures = { reference: [], fetch: [] };
  for (const side of Object.values(sides)) await load({ ...side, clients: CLIENTS, milliseconds: 1_000 });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, side] of Object.entries(sides)) figures[name].push(await load({ ...side, clients: CLIENTS, milliseconds: 4_000 }));
  }
  await reference.stop();
  const of = (name, what) => median(figures[name].map((figure) => figure[what]));
  for (const name of Object.keys(sides)) {
    console.log(`  ${store}, ${name}: ${of(name, "rate").toFixed(0)}/s, p50 ${of(name, "p50").toFixed(1)} ms, p99 ${of(name, "p99").toFixed(1)} ms`);
  }
  const ratios = figures.fetch.map(({ rate }, round) => rate / figures.reference[round].rate);
  console.log(`  ${store}, fetch to reference: ${median(ratios).toFixed(2)} (rounds ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")})`);
}

async function proxied(store, server, port) {
  const call = async (url, headers) => {
    const begun = performance.now();
    const answer = await fetch(url, { headers });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    return performance.now() - begun;
  };
  const [direct, through] = [[], []];
  for (let number = 0; number < PROXIED; number += 1) {
    direct.push(await call(`http://127.0.0.1:${port}/me`, { authorization: "Bearer bench-token" }));
    through.push(await call(`http://127.0.0.1:${server.port}/api/v1/proxy/${server.id}/me`, { authorization: server.headers.authorization }));
  }
  console.log(`  ${store}, direct call: ${median(direct).toFixed(2)} ms; through the proxy: ${median(through).toFixed(2)} ms (medians of ${PROXIED})`);
}

async function memory(store, server) {
  const begun = server.memory();
  let most = begun;
  const watch = setInterval(() => (most = Math.max(most, server.memory())), 500);
  const request = prepared({ port: server.port, path: `/api/v1/connections/${server.id}/credentials`, headers: server.headers });
  const { rate } = await load({ port: server.port, request, clients: CLIENTS, milliseconds: underLoad });
  clearInterval(watch);
  console.log(`  ${store}, memory: ${begun.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most, ${server.memory().toFixed(0)} MiB after ${underLoad / 1_000} s of ${rate.toFixed(0)} fetches a second`);
}

const target = await service();
const postgresql = await startPostgresql();
for (const [store, url] of [["SQLite", undefined], ["PostgreSQL", postgresql.url]]) {
  const server = await patchbay(url, target.port);
  await fetches(store, server);
  await proxied(store, server, target.port);
  await memory(store, server);
  await server.stop();
}
await postgresql.stop();
target.stop();
