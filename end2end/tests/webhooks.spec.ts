// Webhooks while replicas die: two of them on one PostgreSQL, killed a hundred times without a word, and an endpoint
// that misbehaves at random. Whatever was acknowledged arrives, signed, at least once.
import { startPostgresql } from "../servers/postgresql.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest } from "../fixtures/rest.ts";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "@playwright/test";
import { Webhook } from "standardwebhooks";

const KILLS = 100;
/** How often an event is answered badly when it comes for the first time. */
const MISBEHAVES = 0.15;

type Event = { type: string; timestamp: string; data: { connection: string; name: string; changed?: string[] } };
type Listed = { items: { id: string; type: string }[]; cursor: string; more: boolean };

/** An endpoint that verifies what comes, knows what it has seen by `webhook-id`, and misbehaves at random. */
async function receiver() {
  let secret = "";
  const accepted = new Map<string, Event>();
  const seen = new Set<string>();
  const unverified: string[] = [];
  let [requests, repeated] = [0, 0];
  const misbehave = (response: ServerResponse) => {
    const deeds = [
      () => response.writeHead(500).end("oops"),
      () => response.writeHead(302, { location: "/elsewhere" }).end(),
      () => response.socket?.destroy(),
      () => { response.writeHead(200, { "content-length": 1000 }).write("half"); response.socket?.destroy(); },
      // Hangs; the sender gives up after ten seconds.
      () => undefined,
    ];
    deeds[Math.floor(Math.random() * deeds.length)]!();
  };
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    requests += 1;
    const id = String(request.headers["webhook-id"]);
    let event: Event;
    try {
      event = new Webhook(secret).verify(body, request.headers as Record<string, string>) as Event;
    } catch (error) {
      unverified.push(`${id}: ${error}`);
      response.writeHead(400).end();
      return;
    }
    if (!seen.has(id) && Math.random() < MISBEHAVES) {
      seen.add(id);
      misbehave(response);
      return;
    }
    seen.add(id);
    if (accepted.has(id)) repeated += 1;
    accepted.set(id, event);
    response.writeHead(204).end();
  };
  const server = createServer((request, response) => void receive(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    trust: (given: string) => { secret = given; },
    accepted, unverified,
    counts: () => ({ requests, repeated }),
    stop: () => { server.closeAllConnections(); server.close(); },
  };
}

/** Every event of the feed, from its beginning. */
async function feed(rest: Rest): Promise<Listed["items"]> {
  const all: Listed["items"] = [];
  for (let path = "/events?limit=200"; ;) {
    const page = (await (await rest.request("GET", path)).json()) as Listed;
    all.push(...page.items);
    if (!page.more) return all;
    path = `/events?limit=200&cursor=${page.cursor}`;
  }
}

test("whatever was acknowledged arrives at least once, whoever is killed", async () => {
  test.setTimeout(900_000);
  const database = await startPostgresql();
  await database.sql("GRANT ALL ON SCHEMA public TO PUBLIC", "orders");
  const environment = {
    PATCHBAY_KEY: Buffer.alloc(32, 7).toString("base64"),
    PATCHBAY_DATABASE_URL: database.url.replace(/\/postgres$/, "/orders"),
  };
  const replicas = [await Patchbay.start({ environment }), await Patchbay.start({ environment })];
  const key = await replicas[0]!.apiKey();
  const rests = replicas.map((replica) => new Rest(replica));
  const endpoint = await receiver();
  const made = await rests[0]!.request("POST", "/webhooks", { url: endpoint.url }, key);
  expect(made.status).toBe(201);
  endpoint.trust(((await made.json()) as { secret: string }).secret);

  let kills = 0;
  const killer = async (victim: Patchbay) => {
    while (kills < KILLS) {
      kills += 1;
      await new Promise((done) => setTimeout(done, 200 + Math.random() * 1_500));
      await victim.kill();
      await victim.restart();
    }
  };
  // What somebody was told is done: by type and connection.
  const acknowledged = { "connection.created": new Set<string>(), "connection.updated": new Set<string>(), "connection.deleted": new Set<string>() };
  let done = false;
  const worker = async (number: number) => {
    for (let n = 0; !done; n += 1) {
      const rest = rests[(number + n) % 2]!;
      const ask = (method: string, path: string, body?: unknown) => rest.request(method, path, body, key).catch(() => undefined);
      const body = { environment: "production", component: "slack", name: `W${number} ${n}`, values: { token: `xoxb-${"0".repeat(24)}` } };
      const created = await ask("POST", "/connections?validate=false", body);
      if (created?.status !== 201) {
        await new Promise((later) => setTimeout(later, 100));
        continue;
      }
      const { id } = (await created.json().catch(() => ({}))) as { id?: string };
      if (!id) continue;
      acknowledged["connection.created"].add(id);
      const renamed = await ask("PATCH", `/connections/${id}`, { name: `W${number} ${n} renamed` });
      if (renamed?.ok) acknowledged["connection.updated"].add(id);
      if (n % 3 === 0) {
        const deleted = await ask("DELETE", `/connections/${id}`);
        if (deleted?.ok) acknowledged["connection.deleted"].add(id);
      }
      await new Promise((later) => setTimeout(later, 1_500));
    }
  };
  const workers = [0, 1, 2].map(worker);
  await Promise.all(replicas.map(killer));
  done = true;
  await Promise.all(workers);
  const wanted = Object.entries(acknowledged).flatMap(([type, ids]) => [...ids].map((id) => `${type} ${id}`));
  console.log(`${kills} kills, ${wanted.length} changes acknowledged, ${endpoint.accepted.size} events accepted so far`);
  expect(wanted.length).toBeGreaterThan(50);

  const arrived = () => new Set([...endpoint.accepted.values()].map(({ type, data }) => `${type} ${data.connection}`));
  const missing = () => wanted.filter((one) => !arrived().has(one));
  await expect(() => expect(missing()).toEqual([])).toPass({ timeout: 600_000, intervals: [2_000] });
  // And whatever else happened, such as what was done but never acknowledged.
  const told = await feed(new Rest(replicas[0]!));
  await expect(() => expect(told.filter(({ id }) => !endpoint.accepted.has(id))).toEqual([])).toPass({ timeout: 600_000, intervals: [2_000] });
  expect(new Set(told.map(({ id }) => id)).size, "no id stands for two events").toBe(told.length);
  const created = [...endpoint.accepted.values()].filter(({ type }) => type === "connection.created").map(({ data }) => data.connection);
  expect(new Set(created).size, "nothing is created twice").toBe(created.length);
  expect(endpoint.unverified, "every message was signed").toEqual([]);
  const { requests, repeated } = endpoint.counts();
  console.log(`${endpoint.accepted.size} events in ${requests} requests, ${repeated} of them repetitions`);

  endpoint.stop();
  for (const replica of replicas) await replica.stop();
  await database.stop();
});
