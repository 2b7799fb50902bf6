// Many connections on hosts of which some are in trouble; two replicas that share the checks of one database.
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
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
  /** Credentials it refuses. */
  readonly refused = new Set<string>();
  /** Credentials whose asker left before there was an answer. */
  readonly abandoned = new Set<string>();
  /** Milliseconds that a healthy one takes to answer. */
  slowness = 0;
  private readonly sockets = new Set<Socket>();
  private constructor(readonly url: string, private readonly server: Server) {}

  static async start(address: string, port: number, manner: Manner): Promise<Host> {
    const server = createServer();
    const host = new Host(`http://${address}:${port}`, server);
    server.on("connection", (socket) => {
      host.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => host.sockets.delete(socket));
      socket.once("data", (request) => host.hear(socket, manner, /bearer (\S+)/i.exec(request.toString())?.[1] ?? ""));
    });
    server.listen(port, address);
    await once(server, "listening");
    return host;
  }

  private hear(socket: Socket, manner: Manner, token: string): void {
    this.asked.set(token, (this.asked.get(token) ?? 0) + 1);
    if (this.refused.has(token)) return void socket.end(page("401 Unauthorized", "{}"));
    if (this.slowness === 0) return answer(socket, manner);
    const late = setTimeout(() => answer(socket.off("close", left), manner), this.slowness);
    const left = () => (clearTimeout(late), this.abandoned.add(token));
    socket.once("close", left);
  }

  get underWay(): number {
    return this.sockets.size;
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

type Listed = { id: string; name: string; status: string; health: { state: string } };

async function all(rest: Rest): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const answer: Response = await rest.request("GET", `/connections?environment=production&limit=200${cursor && `&cursor=${cursor}`}`);
    const body = (await answer.json()) as { items: Listed[]; next?: string | null };
    found.push(...body.items);
    cursor = body.next ?? null;
  }
  return found;
}

/** Eight at a time. */
async function forEach<T>(items: T[], act: (item: T) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < items.length; n += 8) await Promise.all(items.slice(n, n + 8).map(act));
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

/** The numbers of the connections that are NOT ACTIVE, and why. */
async function notActive(rest: Rest): Promise<Record<number, string>> {
  const found = (await all(rest)).filter((connection) => connection.status !== "active");
  return Object.fromEntries(found.map(({ name, health }) => [Number(name.split(" ")[1]), health.state]));
}

test("1,000 connections on 20 hosts, seven of them in trouble: the others are checked on time, and nothing turns that should not", async () => {
  test.setTimeout(400_000);
  const clock = steeredClock();
  const port = await freePort();
  const manners: Manner[] = ["hangs", "hangs", "hangs", "broken", "broken", "garbage", "endless", ...Array<Manner>(13).fill("healthy")];
  const address = (n: number) => `127.0.1.${n + 1}`;
  // All are healthy while the connections are made.
  let hosts = await Promise.all(manners.map((_, n) => Host.start(address(n), port, "healthy")));
  const patchbay = await Patchbay.start({ environment: clock.environment });
  const rest = new Rest(patchbay);
  await forEach(numbers(1000), (n) => rest.create(httpConnection(`Connection ${n}`, hosts[n % 20]!.url, `token-${n}`, { environment: "production" })));
  await Promise.all(hosts.map((host) => host.stop()));
  hosts = await Promise.all(manners.map((manner, n) => Host.start(address(n), port, manner)));
  const healthy = hosts.filter((_, n) => manners[n] === "healthy");
  const troubled = hosts.filter((_, n) => manners[n] !== "healthy");
  // Of the healthy hosts, two no longer take ten passwords each.
  const refused = numbers(1000).filter((n) => n % 20 >= 18 && n < 200);
  for (const n of refused) hosts[n % 20]!.refused.add(`token-${n}`);
  const because = (why: string, which: number[]) => Object.fromEntries(which.map((n) => [n, why]));

  await test.step("what is healthy is checked on time, and turns only where it is refused", async () => {
    const began = Date.now();
    clock.ahead(270);
    let peak = 0;
    await expect(async () => {
      peak = Math.max(peak, memory(patchbay.pid));
      expect(healthy.reduce((sum, host) => sum + host.asked.size, 0)).toBe(650);
    }).toPass({ timeout: 120_000, intervals: [250] });
    const seconds = (Date.now() - began) / 1000;
    console.log(`650 healthy connections checked within ${seconds.toFixed(1)} s; at most ${peak.toFixed(0)} MB of memory`);
    expect(peak).toBeLessThan(200);
    // Some of those in trouble have failed by now, in each of the ways.
    await expect(async () => {
      for (const host of troubled) expect(host.asked.size).toBeGreaterThan(2);
    }).toPass({ timeout: 60_000 });
    // One failure of a service, whatever its kind, turns no credential; a refusal does, whoever else is in trouble.
    await expect(async () => expect(await notActive(rest)).toEqual(because("rejected", refused))).toPass({ timeout: 10_000 });
    for (const host of healthy) expect(Math.max(...host.asked.values())).toBe(1);
  });

  // Of those in trouble a few are left, to keep this short: ten seconds at a time is all that some of them take.
  // An answer without an end is one all the same: its status has told.
  const left = numbers(1000).filter((n) => n % 20 < 6 && n < (manners[n % 20] === "hangs" ? 20 : 40));
  const numbered = new Map((await all(rest)).map(({ id, name }) => [Number(name.split(" ")[1]), id]));
  await forEach([...numbered].filter(([n]) => n % 20 < 7 && !left.includes(n)), ([, id]) => rest.delete(id));
  for (const host of healthy) host.asked.clear();
  const haveFailed = async (times: number) => {
    await expect(async () => {
      const found = await Promise.all(left.map(async (n) => (await rest.get(numbered.get(n)!)) as unknown as { checks: { outcome: string }[] }));
      const outcomes = found.map(({ checks }) => checks.map((check) => check.outcome));
      expect(outcomes).toEqual(left.map(() => [...Array<string>(times).fill("unanswered"), "accepted"]));
    }).toPass({ timeout: 90_000 });
  };

  await test.step("what could not be checked three times over half an hour is not active, and says so", async () => {
    await haveFailed(1);
    // Each is past the longest wait that the schedule has in store.
    clock.ahead(280);
    await haveFailed(2);
    expect(await notActive(rest)).toEqual(because("rejected", refused));
    clock.ahead(305);
    await haveFailed(3);
    expect(await notActive(rest)).toEqual({ ...because("rejected", refused), ...because("unreachable", left) });
  });

  await test.step("a password that is taken again is active again, while others are still in trouble", async () => {
    for (const host of healthy) host.refused.clear();
    clock.ahead(345);
    await expect(async () => expect(await notActive(rest)).toEqual(because("unreachable", left))).toPass({ timeout: 60_000 });
  });

  // Nobody else was asked in this hour.
  expect(healthy.flatMap((host) => [...host.asked.keys()]).sort()).toEqual(refused.map((n) => `token-${n}`).sort());
  await patchbay.stop();
  await Promise.all(hosts.map((host) => host.stop()));
  clock.remove();
});

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
  await forEach(numbers(120), (n) => rest.create(httpConnection(`Connection ${n}`, host.url, `token-${n}`, { environment: "production" })));
  const everybody = (times: (token: string) => number) => Object.fromEntries(numbers(120).map((n) => [`token-${n}`, times(`token-${n}`)]));
  const asEverybody = async (times: (token: string) => number) => {
    await expect(async () => expect(Object.fromEntries(host.asked)).toEqual(everybody(times))).toPass({ timeout: 90_000 });
  };

  for (const [manner, slowness, minutes] of [["fast", 0, 270], ["slow", 400, 540]] as const) {
    await test.step(`at a ${manner} host each is asked once`, async () => {
      Object.assign(host, { slowness });
      host.asked.clear();
      clock.ahead(minutes);
      await asEverybody(() => 1);
    });
  }

  await test.step("what the killed one had claimed is asked once by the other when the lease ends", async () => {
    host.asked.clear();
    host.abandoned.clear();
    clock.ahead(810);
    // One asks a host about two at once: where there are more, both are asking.
    await expect(async () => expect(host.underWay).toBeGreaterThan(2)).toPass({ timeout: 20_000, intervals: [20] });
    await second.kill();
    await expect(async () => expect(host.abandoned.size).toBeGreaterThan(0)).toPass({ timeout: 5_000 });
    const interrupted = new Set(host.abandoned);
    // The other ends all that is not the killed one's, of which a claim is left.
    const claims = async () => Number(await database.sql(`SELECT count(*) FROM connections WHERE lease_until > ${Date.now() + 810 * 60_000}`, "orders"));
    let left = 0;
    await expect(async () => {
      left = 120 - host.asked.size + interrupted.size;
      expect(await claims()).toBe(left);
      await sleep(1_500);
      expect([await claims(), 120 - host.asked.size + interrupted.size]).toEqual([left, left]);
    }).toPass({ timeout: 90_000 });
    console.log(`the killed one held ${left} claims, and was asking about ${interrupted.size} of them`);
    expect(left).toBeGreaterThanOrEqual(interrupted.size);
    for (const token of interrupted) expect(host.asked.get(token)).toBe(1);
    // Its lease lasts two minutes.
    clock.ahead(813);
    await asEverybody((token) => (interrupted.has(token) ? 2 : 1));
  });
  await first.stop();
  await second.stop();
  await host.stop();
  clock.remove();
  await database.stop();
});
