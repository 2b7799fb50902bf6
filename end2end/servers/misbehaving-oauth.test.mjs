// A good client meets every scenario with the end that is written for it, and a careless one is refused.
//   node --test end2end/servers/misbehaving-oauth.test.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { client } from "./misbehaving-oauth/client.mjs";
import { faults } from "./misbehaving-oauth/faults.mjs";
import { scenarios } from "./misbehaving-oauth/scenarios.mjs";
import { SCENARIOS, componentFile, scenariosToml } from "./misbehaving-oauth/toml.mjs";
import { startMisbehavingOauth } from "./misbehaving-oauth.mjs";
import { answers } from "./process.mjs";

const PATIENCE = 400;
const server = await startMisbehavingOauth();
after(async () => {
  await server.stop();
  assert.equal(await answers(server.port), false);
});
const { control, url: origin } = server;
const named = (name) => {
  const found = scenarios.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
};
const verdict = (promise, well) => promise.then(() => well, (error) => error.message);
/** The newest connection's tokens, as the server knows them. */
const issued = (scenario) => control.tokens({ scenario }).connections.at(-1);
const refusals = (scenario) => control.log({ scenario }).requests.map(({ refused }) => refused).filter(Boolean);

/** Plays a scenario to its end, and returns what was seen, in the form of its expectations. */
async function play(scenario) {
  const { name, refresh, expect, exchange, revoke } = scenario;
  const seen = { exchange: "connected", refresh: /** @type {string[]} */ ([]), expect: /** @type {Record<string, unknown>} */ ({}), revoke: /** @type {string | undefined} */ (undefined) };
  const good = client(scenario, origin, { patience: PATIENCE });
  const trouble = (error) => {
    if (error.retryAfter !== undefined) seen.expect.retry_after = error.retryAfter;
    return error.message;
  };
  let held;
  try {
    held = await good.connect();
  } catch (error) {
    seen.exchange = trouble(error);
    return seen;
  }
  const first = held;
  assert.equal(held.access, issued(name).access_token);
  assert.equal((await fetch(`${origin}/s/${name}/me`, { headers: { authorization: `Bearer ${held.access}` } })).status, 200);
  Object.assign(seen.expect, { lifetime: held.lifetime, scopes: held.scopes, ...("captured" in expect && { captured: held.captured }) });
  if (name === "refresh-too-early") await sleep(2000);
  for (const _ of refresh) {
    try {
      held = await good.refresh(held);
      seen.refresh.push("renewed");
      assert.equal(held.access, issued(name).access_token);
    } catch (error) {
      seen.refresh.push(trouble(error));
    }
  }
  seen.expect.refresh_token = held.refresh === undefined ? "none" : held.refresh === first.refresh ? "kept" : "new";
  if (revoke) seen.revoke = await verdict(good.revoke(held), "revoked");
  if (seen.revoke === "revoked") assert.equal(issued(name).ended, true);
  assert.equal(seen.exchange, exchange);
  return seen;
}

for (const scenario of scenarios) {
  test(scenario.name, { timeout: 20_000 }, async () => {
    const { exchange, refresh, revoke, expect } = scenario;
    const seen = await play(scenario);
    const close = (lifetime) => typeof lifetime === "number" && Math.abs(lifetime - (expect.lifetime ?? 0)) <= 2;
    if (close(seen.expect.lifetime)) seen.expect.lifetime = expect.lifetime;
    if (typeof seen.expect.retry_after === "number" && Math.abs(seen.expect.retry_after - (expect.retry_after ?? 0)) <= 1) seen.expect.retry_after = expect.retry_after;
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(JSON.stringify({ exchange, refresh, expect, revoke })));
    const { requests } = control.log({ scenario: scenario.name });
    const fault = /^(?:exchange|refresh)-(.*)$/.exec(scenario.name)?.[1] ?? "";
    if (fault in faults) assert.ok(requests.some((request) => request.fault === fault), "the fault did not happen");
    assert.ok(!requests.some((request) => request.status === 500 && request.fault !== "html-500"), "the server is broken");
    const deserved = refresh.includes("invalid_grant") || exchange === "invalid_grant";
    if (!deserved) assert.deepEqual(refusals(scenario.name), []);
    assert.ok(!requests.some(({ action }) => action === "stolen"));
  });
}

/** The scenario's provider, asked in the way of another section. */
async function careless(name, changes) {
  const scenario = named(name);
  const instance = `${name}~careless`;
  control.reset({ scenario: instance });
  const oauth = { ...scenario.oauth, ...changes };
  await verdict(client({ ...scenario, oauth }, origin, { instance }).connect(), "connected");
  return refusals(instance).join("; ");
}

test("what is not in the scenario's form is refused, in plain words", async () => {
  const cases = /** @type {const} */ ([
    ["plain", { pkce: false }, /code_challenge is missing/],
    ["plain", { scope_separator: "," }, /unknown scopes: read,write/],
    ["plain", { authorize_parameters: { prompt: "consent" } }, /not expected: prompt/],
    ["plain", { client_authentication: "basic_raw" }, /form-urlencoded/],
    ["plain", { client_authentication: "body" }, /belongs in the Authorization header alone/],
    ["plain", { client_authentication: "none" }, /belongs in the Authorization header alone/],
    ["plain", { token_body: "json" }, /application\/json, not a form/],
    ["plain", { token_body: "query" }, /parameters belong in the body/],
    ["plain", { token_parameters: { scope: "read" } }, /not expected: scope/],
    ["pkce-refused", { pkce: true }, /not expected: code_challenge, code_challenge_method/],
    ["basic-raw", { client_authentication: "basic" }, /or not as it is/],
    ["secret-in-body", { client_authentication: "basic" }, /belongs among the parameters/],
    ["secret-in-body", { client_authentication: "none" }, /client_secret is missing/],
    ["public-client", { client_authentication: "body" }, /the client is public/],
    ["token-json", { token_body: "form" }, /urlencoded, not JSON/],
    ["token-query", { token_body: "form" }, /parameters belong in the query/],
    ["token-headers", { token_headers: {} }, /x-api-version is not/],
    ["scopes-comma", { scope_separator: " " }, /unknown scopes: read write/],
    ["scopes-plus", { scope_separator: " " }, /unknown scopes: read write/],
    ["authorize-parameters", { authorize_parameters: {} }, /access_type is missing/],
    ["authorize-lacks", { authorize_omits: [] }, /not expected: response_type/],
    ["expiry-asked-for", { token_parameters: {} }, /expiring is missing/],
    ["names-all", { names: {} }, /client_key is missing/],
    ["long-lived", { exchange: { url: "{exchange_url}", parameters: { grant_type: "other", client_id: "{client_id}", client_secret: "{client_secret}", fb_exchange_token: "{access_token}" } } }, /grant_type is not fb_exchange_token/],
  ]);
  for (const [name, changes, reason] of cases) assert.match(await careless(name, changes), reason, `${name} ${JSON.stringify(changes)}`);
});

test("a refresh goes where and how the scenario has it", async () => {
  for (const [name, changes, reason] of /** @type {const} */ ([
    ["refresh-elsewhere", { refresh_url: undefined }, /belongs to refresh/],
    ["refresh-parameters", { refresh_parameters: {} }, /expires_in is missing/],
    ["refresh-too-early", {}, /too early/],
  ])) {
    const scenario = named(name);
    const instance = `${name}~refresh`;
    const careful = client(scenario, origin, { instance });
    const other = client({ ...scenario, oauth: { ...scenario.oauth, ...changes } }, origin, { instance });
    assert.equal(await verdict(careful.connect().then((held) => other.refresh(held)), "renewed"), "transient");
    assert.match(refusals(instance).join(), reason);
  }
});

test("a code is good once, and with its verifier", async () => {
  const query = new URLSearchParams({ response_type: "code", client_id: server.client.id, redirect_uri: "https://a.example/", state: "s", scope: "read", code_challenge: "A".repeat(43), code_challenge_method: "S256" });
  const answer = await fetch(`${origin}/s/public-client~code/authorize?${query}`, { redirect: "manual" });
  const code = new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const trade = { grant_type: "authorization_code", code, redirect_uri: "https://a.example/", client_id: server.client.id, code_verifier: "x".repeat(43) };
  const said = await fetch(`${origin}/s/public-client~code/token`, { method: "POST", body: new URLSearchParams(trade) });
  assert.equal((await said.json()).error, "invalid_grant");
  assert.match(refusals("public-client~code").join(), /verifier does not fit/);
});

test("reuse is refused, punished or forgiven", async () => {
  const twice = async (name, instance) => {
    const good = client(named(name), origin, { instance });
    const held = await good.connect();
    const next = await good.refresh(held);
    const again = await verdict(good.refresh(held), "renewed");
    return { again, after: await verdict(good.refresh(next), "renewed"), count: control.presentations({ scenario: instance }) };
  };
  const rotates = await twice("rotates", "rotates~twice");
  assert.deepEqual([rotates.again, rotates.after, rotates.count.most], ["invalid_grant", "renewed", 2]);
  const punishes = await twice("punishes", "punishes~twice");
  assert.deepEqual([punishes.again, punishes.after], ["invalid_grant", "invalid_grant"]);
  const forgives = await twice("forgives", "forgives~twice");
  assert.deepEqual([forgives.again, forgives.after], ["renewed", "renewed"]);
  control.settings({ scenario: "forgives~late", grace_ms: -1 });
  const late = await twice("forgives", "forgives~late");
  assert.deepEqual([late.again, late.after], ["invalid_grant", "invalid_grant"]);
});

test("tests change it over HTTP", async () => {
  const scenario = "plain~control";
  const post = async (name, more) => {
    const answer = await fetch(`${origin}/control/${name}`, { method: "POST", body: JSON.stringify({ scenario, ...more }) });
    return { status: answer.status, ...(await answer.json()) };
  };
  const read = async (name) => (await fetch(`${origin}/control/${name}?scenario=${encodeURIComponent(scenario)}`)).json();
  const good = client(named("plain"), origin, { instance: scenario });
  const me = async (token) => (await fetch(`${origin}/s/${scenario}/me`, { headers: { authorization: `Bearer ${token}` } })).json();

  await post("settings", { user: "bob@example.com", lifetime: 60 });
  let held = await good.connect();
  assert.equal(held.lifetime, 60);
  assert.equal((await me(held.access)).login, "bob@example.com");
  await post("faults", { at: "refresh", faults: ["unavailable", "well", "crash"] });
  assert.equal(await verdict(good.refresh(held), "renewed"), "transient");
  held = await good.refresh(held);
  assert.equal(await verdict(good.refresh(held), "renewed"), "transient");
  assert.deepEqual(await read("presentations"), { presentations: { [held.refresh]: 3 }, most: 3 });
  const [connection] = (await read("tokens")).connections;
  assert.equal(connection.refreshes, 3);
  assert.notEqual(connection.access_token, held.access);
  await post("expire");
  assert.equal((await me(held.access)).error, "invalid_token");
  held = await good.refresh(held);
  await post("revoke");
  assert.equal(await verdict(good.refresh(held), "renewed"), "invalid_grant");
  assert.match((await post("faults", { at: "refresh", faults: ["nonsense"] })).error, /no fault nonsense/);
  assert.match((await post("settings", { speed: 1 })).error, /no setting speed/);
  const { requests } = await read("log");
  const refresh = requests.find(({ fault }) => fault === "unavailable");
  assert.equal(refresh.parameters.grant_type, "refresh_token");
  assert.match(refresh.headers.authorization, /^Basic /);
  assert.equal(refresh.status, 503);
  await post("reset");
  assert.deepEqual(await read("log"), { requests: [] });
});

test("an endless answer is noticed to have been left", async () => {
  const scenario = "exchange-endless~left";
  await verdict(client(named("exchange-endless"), origin, { instance: scenario }).connect(), "connected");
  const entry = () => control.log({ scenario }).requests.find(({ fault }) => fault === "endless");
  for (let tries = 0; entry()?.left_early === undefined && tries < 50; tries += 1) await sleep(20);
  assert.equal(entry()?.left_early, true);
  assert.ok(Number(entry()?.sent) > 256 * 1024);
});

test("the file for Rust says what the server does", () => {
  assert.equal(readFileSync(SCENARIOS, "utf8"), scenariosToml(), "run: node end2end/servers/misbehaving-oauth/toml.mjs");
  assert.match(componentFile(named("plain"), origin), new RegExp(`default = "${origin}/s/plain/token"`));
});
