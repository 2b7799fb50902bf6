// A thousand accounts whose tokens are due at once, two replicas on one PostgreSQL, a provider that rotates refresh
// tokens and ends an account whose used token comes back.
import { startMisbehavingOauth } from "../servers/misbehaving-oauth.mjs";
import { scenarios } from "../servers/misbehaving-oauth/scenarios.mjs";
import { componentFile } from "../servers/misbehaving-oauth/toml.mjs";
import { steeredClock } from "../servers/clock.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { temporaryFolder } from "../servers/process.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Person, health } from "../fixtures/person.ts";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";

type Provider = Awaited<ReturnType<typeof startMisbehavingOauth>>;

/** A provider that punishes, a database, a clock, and what a replica needs to know of them. */
async function scene() {
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
  const presented = () => Object.values<number>(provider.control.presentations({ scenario: "punishes" }).presentations);
  const stop = async (...replicas: Patchbay[]) => {
    for (const replica of replicas) await replica.stop();
    await provider.stop();
    clock.remove();
    remove();
    await database.stop();
  };
  return { database, clock, provider, environment, presented, stop };
}

/** Connects so many accounts; `lifetime` tells the hours each of their tokens lasts. */
async function connectAll(person: Person, provider: Provider, count: number, lifetime: (n: number) => number = () => 1): Promise<void> {
  for (let n = 0; n < count; n += 8) {
    provider.control.settings({ scenario: "punishes", lifetime: 3600 * lifetime(n) });
    const names = Array.from({ length: Math.min(8, count - n) }, (_, more) => `Account ${n + more}`);
    await Promise.all(names.map((name) => person.connect("misbehaving-punishes", name)));
  }
}

/** When each refresh token was presented, in milliseconds. */
function presentedAt(provider: Provider): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { at, parameters } of provider.control.log({ scenario: "punishes" }).requests as { at: string; parameters?: { refresh_token?: string } }[]) {
    const token = parameters?.refresh_token;
    if (token) found.set(token, [...(found.get(token) ?? []), Date.parse(at)]);
  }
  return found;
}

/** Milliseconds that a request of a process may be noted after its death. */
const NOTED_LATE = 500;

const settled = (kind: string) => kind === "valid" || kind === "rejected";

test("a thousand tokens due at once are each presented once, and kills lose none silently", async () => {
  test.setTimeout(600_000);
  const { clock, provider, environment, presented, stop } = await scene();
  const replicas = [await Patchbay.start({ environment }), await Patchbay.start({ environment })];
  const person = await Person.signIn(replicas[0]!);
  await connectAll(person, provider, 1000);

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

  await stop(...replicas);
});

test("after 200 random kills each connection works or says that it has to be reconnected", async () => {
  test.setTimeout(600_000);
  const { database, clock, provider, environment, presented, stop } = await scene();
  const replicas = [await Patchbay.start({ environment }), await Patchbay.start({ environment })];
  // Each hour a few fall due, so that there is always somebody to lose and never everybody.
  const [accounts, hours] = [400, 50];
  await connectAll(await Person.signIn(replicas[0]!), provider, accounts, (n) => 1 + ((n / 8) % hours));
  provider.control.settings({ scenario: "punishes", lifetime: 3600 * hours });

  let [hour, kills] = [0, 0];
  // A jump of the clock ends the lease of whoever is in flight, as a death does.
  const interruptions: number[] = [];
  const began = Date.now();
  const killer = async (victim: Patchbay) => {
    while (kills < 200) {
      kills += 1;
      clock.ahead(60 * (hour += 1));
      interruptions.push(Date.now());
      await new Promise((done) => setTimeout(done, Math.random() * 900));
      interruptions.push(Date.now());
      await victim.kill();
      interruptions.push(Date.now());
      await victim.restart();
    }
  };
  await Promise.all(replicas.map(killer));
  console.log(`${kills} kills in ${((Date.now() - began) / 1000).toFixed(0)} s, ${presented().length} tokens presented`);

  // Leases of the dead end, and what they left is settled.
  for (let more = 0; more < 4; more += 1) {
    clock.ahead(60 * hour + 3 * (more + 1));
    interruptions.push(Date.now());
    await new Promise((done) => setTimeout(done, 1_500));
  }
  const person = await Person.signIn(replicas[0]!);
  await expect(async () => expect((await person.snapshot()).filter((row) => settled(health(row))).length).toBe(accounts)).toPass({ timeout: 60_000, intervals: [1_000] });
  // What was refused to one worker after another had renewed it is due at once.
  const due = `SELECT count(*) FROM oauth_grants WHERE refresh_at <= ${Date.now() + (60 * hour + 12) * 60_000}`;
  await expect(async () => expect(Number(await database.sql(due, "orders"))).toBe(0)).toPass({ timeout: 30_000, intervals: [500] });
  const rows = await person.snapshot();
  // What is interrupted in flight again and again is presented again each time; never without an interruption. The
  // provider lives in this process and notes a request when it gets its turn, which may be after the sender's death.
  const early = [...presentedAt(provider).values()].flatMap((times) =>
    times.slice(1).map((time, n) => Math.min(...interruptions.filter((at) => at <= time).map((at) => Math.max(0, times[n]! - at)))));
  console.log(`${early.length} presented again, at most ${Math.max(0, ...early)} ms after an interruption had begun`);
  expect(Math.max(0, ...early), "milliseconds since the interruption that a second presentation follows").toBeLessThan(NOTED_LATE);
  for (let n = 0; n < rows.length; n += 8) {
    await Promise.all(rows.slice(n, n + 8).map(async (row) => {
      const said = await person.test(row.id);
      if (health(row) === "valid") expect(said, `${row.name} works at the provider`).toContain('"valid"');
      else expect(row.health["rejected"]!.reason, row.name).toMatch(/(its answer was lost|no longer renews this access).*Reconnect the account\.$/s);
    }));
  }
  const active = rows.filter((row) => health(row) === "valid").length;
  const alive = provider.control.tokens({ scenario: "punishes" }).connections.filter(({ ended }) => !ended).length;
  console.log(`${accounts - active} of ${accounts} told to reconnect after ${kills} kills`);
  expect(alive, "none that the provider still knows is given up").toBe(active);
  expect(active).toBeGreaterThan(0);
  await stop(...replicas);
});

for (const kept of [false, true]) {
  test(`killed with answers that are not committed: ${kept ? "a journal loses none" : "without a journal they are told to be lost"}`, async () => {
    test.setTimeout(180_000);
    const { clock, database, provider, environment, presented, stop } = await scene();
    const { folder: journal, remove } = temporaryFolder("journal");
    mkdirSync(journal, { recursive: true });
    const patchbay = await Patchbay.start({ environment: { ...environment, ...(kept && { PATCHBAY_JOURNAL_DIR: journal }) } });
    const person = await Person.signIn(patchbay);
    await connectAll(person, provider, 24);
    const away = database.sql("BEGIN; LOCK TABLE connections IN EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT", "orders");
    await new Promise((done) => setTimeout(done, 300));
    clock.ahead(62);
    await expect(() => expect(presented().length).toBeGreaterThan(5)).toPass({ timeout: 4_000, intervals: [50] });
    await new Promise((done) => setTimeout(done, 500));
    await patchbay.kill();
    const answered = presented().length;
    if (kept) expect(readdirSync(journal).filter((name) => name.endsWith(".renewal")).length).toBe(answered);
    await away;
    await patchbay.restart();
    await new Promise((done) => setTimeout(done, 1_000));
    clock.ahead(65);
    await expect(async () => {
      expect(presented().length).toBe(24);
      expect((await person.snapshot()).filter((row) => settled(health(row))).length).toBe(24);
      if (!kept) expect((await person.snapshot()).filter((row) => health(row) === "rejected").length).toBe(answered);
    }).toPass({ timeout: 60_000, intervals: [500] });
    const rejected = (await person.snapshot()).filter((row) => health(row) === "rejected").length;
    console.log(`${answered} answers not committed, ${rejected} told to reconnect`);
    expect(rejected).toBe(kept ? 0 : answered);
    expect(Math.max(...presented())).toBe(kept ? 1 : 2);
    expect(readdirSync(journal)).toEqual([]);
    await stop(patchbay);
    remove();
  });
}
