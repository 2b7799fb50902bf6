// A thousand accounts whose tokens are due at once, two replicas on one PostgreSQL, a provider that rotates refresh
// tokens and ends an account whose used token comes back.
import { startMisbehavingOauth } from "../servers/misbehaving-oauth.mjs";
import { scenarios } from "../servers/misbehaving-oauth/scenarios.mjs";
import { componentFile } from "../servers/misbehaving-oauth/toml.mjs";
import { steeredClock } from "../servers/clock.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { temporaryFolder } from "../servers/process.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";

type Provider = Awaited<ReturnType<typeof startMisbehavingOauth>>;

/** A browser's part of connecting, without one. */
class Person {
  private constructor(private readonly url: string, private readonly cookie: string) {}

  static async signIn(patchbay: Patchbay): Promise<Person> {
    const token = new URL(await patchbay.signInLink()).hash.slice(1);
    const answer = await Person.post(`${patchbay.url}/sign-in`, { token });
    return new Person(patchbay.url, cookieOf(answer));
  }

  private static post(url: string, body: unknown, cookie = ""): Promise<Response> {
    const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin", ...(cookie && { cookie }) };
    return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async call<T>(path: string, body: unknown): Promise<T> {
    const answer = await Person.post(`${this.url}${path}`, body, this.cookie);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async snapshot(): Promise<Row[]> {
    const answer = await fetch(`${this.url}/rpc/snapshot?env=production`, { headers: { cookie: this.cookie } });
    return ((await answer.json()) as { rows: Row[] }).rows;
  }

  async connect(component: string, name: string): Promise<void> {
    const request = { environment: "production", component, method: "oauth", name, values: {}, by: "window" };
    const { url } = await this.call<{ url: string }>("/rpc/begin_connect", { request });
    const opened = await Person.post(`${this.url}/oauth/start`, { code: new URL(url).hash.slice(1) });
    const { authorize_url } = (await opened.json()) as { authorize_url: string };
    const consented = await fetch(authorize_url, { redirect: "manual" });
    const landed = await fetch(consented.headers.get("location")!, { headers: { cookie: cookieOf(opened) } });
    const text = await landed.text();
    if (!text.includes("is connected")) throw new Error(`${name}: ${text.slice(0, 2_000)}`);
  }
}

type Row = { name: string; health: Record<string, { reason?: string }> };

const cookieOf = (answer: Response) => answer.headers.get("set-cookie")!.split(";")[0]!;

const health = (row: Row) => (typeof row.health === "string" ? row.health : Object.keys(row.health)[0]!);

test("a thousand tokens due at once are each presented once, and kills lose none silently", async () => {
  test.setTimeout(600_000);
  const database = await startPostgresql();
  await database.sql("GRANT ALL ON SCHEMA public TO PUBLIC", "orders");
  const clock = steeredClock();
  const provider: Provider = await startMisbehavingOauth();
  const { folder, remove } = temporaryFolder("catalog");
  const component = scenarios.find(({ name }) => name === "punishes")!;
  writeFileSync(join(folder, "misbehaving-punishes.toml"), componentFile(component, provider.url));
  const environment = {
    ...clock.environment, PATCHBAY_CATALOG_DIR: folder,
    PATCHBAY_OAUTH_MISBEHAVING_PUNISHES_CLIENT_ID: provider.client.id,
    PATCHBAY_OAUTH_MISBEHAVING_PUNISHES_CLIENT_SECRET: provider.client.secret, PATCHBAY_KEY: Buffer.alloc(32, 7).toString("base64"),
    PATCHBAY_DATABASE_URL: database.url.replace(/\/postgres$/, "/orders"),
  };
  const replicas = [await Patchbay.start({ environment }), await Patchbay.start({ environment })];
  const person = await Person.signIn(replicas[0]!);
  const names = Array.from({ length: 1000 }, (_, n) => `Account ${n}`);
  for (let n = 0; n < names.length; n += 8) await Promise.all(names.slice(n, n + 8).map((name) => person.connect("misbehaving-punishes", name)));

  const presented = () => Object.values<number>(provider.control.presentations({ scenario: "punishes" }).presentations);
  const began = Date.now();
  clock.ahead(62);
  await expect(() => expect(presented().length).toBe(1000)).toPass({ timeout: 120_000, intervals: [500] });
  console.log(`1,000 renewals by two replicas in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  await expect(async () => expect((await person.snapshot()).filter((row) => health(row) === "valid").length).toBe(1000)).toPass({ timeout: 30_000 });
  expect(Math.max(...presented())).toBe(1);

  // Again and again one of the two is killed without a word while tokens fall due.
  for (let round = 2, kills = 0; kills < 12; round++) {
    clock.ahead(62 * round);
    for (let n = 0; n < 6; n++, kills++) {
      await new Promise((done) => setTimeout(done, 300 + Math.random() * 700));
      const victim = replicas[kills % 2]!;
      await victim.kill();
      await victim.restart();
    }
  }
  const rounds = 2 + 12 / 6;
  clock.ahead(62 * rounds + 3);
  await expect(async () => {
    const rows = await person.snapshot();
    const kinds = rows.map(health);
    expect(kinds.filter((kind) => kind === "valid" || kind === "rejected").length).toBe(1000);
  }).toPass({ timeout: 120_000, intervals: [1_000] });
  expect(Math.max(...presented()), "at most once more after a kill").toBeLessThanOrEqual(2);
  const rejected = (await person.snapshot()).filter((row) => health(row) === "rejected");
  console.log(`${rejected.length} of 1,000 told to reconnect after 12 kills`);
  for (const row of rejected) expect(row.health["rejected"]!.reason).toMatch(/Reconnect/);

  for (const replica of replicas) await replica.stop();
  await provider.stop();
  clock.remove();
  remove();
  await database.stop();
});
