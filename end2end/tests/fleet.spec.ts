// Many connections on hosts of which some are in trouble; two replicas that share the checks of one database.
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { steeredClock } from "../servers/clock.mjs";
import { freePort } from "../servers/process.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest, httpConnection } from "../fixtures/rest.ts";
import { expect, test } from "@playwright/test";

type Manner = "healthy" | "hangs" | "broken" | "garbage" | "endless";

const page = (status: string, body: string) => `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;

/** An HTTP service that counts who asked it, by credential. */
class Host {
  readonly asked = new Map<string, number>();
  private readonly sockets = new Set<Socket>();
  private constructor(readonly url: string, private readonly server: Server) {}

  static async start(address: string, port: number, manner: Manner): Promise<Host> {
    const server = createServer();
    const host = new Host(`http://${address}:${port}`, server);
    server.on("connection", (socket) => {
      host.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => host.sockets.delete(socket));
      socket.once("data", (request) => {
        const token = /bearer (\S+)/i.exec(request.toString())?.[1] ?? "";
        host.asked.set(token, (host.asked.get(token) ?? 0) + 1);
        answer(socket, manner);
      });
    });
    server.listen(port, address);
    await once(server, "listening");
    return host;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }
}

function answer(socket: Socket, manner: Manner): void {
  const flood = () => {
    while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 120)));
    if (!socket.destroyed) socket.once("drain", flood);
  };
  if (manner === "healthy") socket.end(page("200 OK", '{"login":"ops"}'));
  if (manner === "broken") socket.end(page("503 Service Unavailable", "{}"));
  if (manner === "garbage") socket.end("\u0000\u0001 not HTTP at all\r\n\r\n");
  if (manner === "endless") socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\n", flood);
}

const memory = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

test("1,000 connections on 20 hosts, seven of them in trouble: the others are checked on time, and nothing turns that should not", async () => {
  test.setTimeout(300_000);
  const clock = steeredClock();
  const port = await freePort();
  const manners: Manner[] = ["hangs", "hangs", "hangs", "broken", "broken", "garbage", "endless", ...Array<Manner>(13).fill("healthy")];
  const address = (n: number) => `127.0.1.${n + 1}`;
  // All are healthy while the connections are made.
  let hosts = await Promise.all(manners.map((_, n) => Host.start(address(n), port, "healthy")));
  const patchbay = await Patchbay.start({ environment: clock.environment });
  const rest = new Rest(patchbay);
  const make = async (n: number) => {
    await rest.create(httpConnection(`Connection ${n}`, hosts[n % 20]!.url, `token-${n}`, { environment: "production" }));
  };
  for (let n = 0; n < 1000; n += 8) await Promise.all(Array.from({ length: 8 }, (_, k) => make(n + k)));
  await Promise.all(hosts.map((host) => host.stop()));
  hosts = await Promise.all(manners.map((manner, n) => Host.start(address(n), port, manner)));

  const began = Date.now();
  clock.ahead(4.5 * 60);
  const healthy = hosts.filter((_, n) => manners[n] === "healthy");
  let peak = 0;
  await expect(async () => {
    peak = Math.max(peak, memory(patchbay.pid));
    expect(healthy.reduce((sum, host) => sum + host.asked.size, 0)).toBe(650);
  }).toPass({ timeout: 120_000, intervals: [250] });
  const seconds = (Date.now() - began) / 1000;
  console.log(`650 healthy connections checked within ${seconds.toFixed(1)} s; at most ${peak.toFixed(0)} MB of memory`);
  expect(peak).toBeLessThan(200);

  const statuses = new Map<string, number>();
  for (const connection of await all(rest)) statuses.set(connection.status, (statuses.get(connection.status) ?? 0) + 1);
  // One failure of a service, whatever its kind, turns no credential.
  expect([...statuses]).toEqual([["active", 1000]]);
  for (const host of healthy) expect(Math.max(...host.asked.values())).toBe(1);
  await patchbay.stop();
  await Promise.all(hosts.map((host) => host.stop()));
  clock.remove();
});

async function all(rest: Rest): Promise<{ status: string }[]> {
  const found: { status: string }[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: Response = await rest.request("GET", `/connections?environment=production&limit=200${cursor && `&cursor=${cursor}`}`);
    const body = (await answer.json()) as { items: { status: string }[]; next?: string | null };
    found.push(...body.items);
    cursor = body.next ?? null;
  }
  return found;
}

test("two replicas share what is due: each check is made once, and one takes over when the other is killed", async () => {
  test.setTimeout(240_000);
  const database = await startPostgresql();
  const clock = steeredClock();
  const host = await Host.start("127.0.0.1", await freePort(), "healthy");
  const key = Buffer.alloc(32, 7).toString("base64");
  const environment = { ...clock.environment, PATCHBAY_DATABASE_URL: database.url.replace(/\/postgres$/, "/orders"), PATCHBAY_KEY: key };
  await database.sql("GRANT ALL ON SCHEMA public TO PUBLIC", "orders");
  const first = await Patchbay.start({ environment });
  const second = await Patchbay.start({ environment });
  const rest = new Rest(first);
  for (let n = 0; n < 120; n += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, k) => rest.create(httpConnection(`Connection ${n + k}`, host.url, `token-${n + k}`, { environment: "production" }))));
  }
  host.asked.clear();
  clock.ahead(4.5 * 60);
  await expect(async () => expect(host.asked.size).toBe(120)).toPass({ timeout: 60_000 });
  expect(Math.max(...host.asked.values())).toBe(1);

  host.asked.clear();
  clock.ahead(9 * 60);
  await expect(async () => expect(host.asked.size).toBeGreaterThan(5)).toPass({ timeout: 20_000 });
  await second.kill();
  // What it had claimed comes back when its lease ends, two minutes later.
  clock.ahead(9 * 60 + 3);
  await expect(async () => expect(host.asked.size).toBe(120)).toPass({ timeout: 60_000 });
  await first.stop();
  await second.stop();
  await host.stop();
  clock.remove();
  await database.stop();
});
