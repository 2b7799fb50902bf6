// The authorization server does what a certified one does, and what tests ask of it besides.
//   node --test end2end/servers/oidc-provider.test.mjs
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { digest } from "./oidc-provider/control.mjs";
import { startDescribedOidcProvider, startOidcProvider } from "./oidc-provider.mjs";
import { answers, start } from "./process.mjs";

const REDIRECT = "http://127.0.0.1:8123/oauth/callback";
const server = await startOidcProvider();
after(() => server.stop());
const { endpoints, clients, control } = server;
const alice = { user: "alice@example.com" };

const encode = (text) => new URLSearchParams([["", text]]).toString().slice(1);
const basic = ({ id, secret }) => ({ authorization: `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}` });

async function post(url, fields, headers = {}) {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), headers });
  const text = await answer.text();
  return { status: answer.status, ...(text && JSON.parse(text)) };
}

/** An authorization request, and what its redirect says. */
async function ask(person, { client = clients.basic, from = server, ...more } = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({
    response_type: "code", client_id: client.id, redirect_uri: REDIRECT, state: "s", scope: "openid email api:read",
    code_challenge: challenge, code_challenge_method: "S256", ...more,
  });
  const { location, page } = await from.authorize(`${from.endpoints.authorization}?${query}`, person);
  return { verifier, page, said: Object.fromEntries(location ? new URL(location).searchParams : []), location };
}

async function connect(person = alice, more = {}) {
  const { verifier, said } = await ask(person, more);
  return post(endpoints.token, { grant_type: "authorization_code", code: said.code, redirect_uri: REDIRECT, code_verifier: verifier }, basic(clients.basic));
}

const refresh = (token) => post(endpoints.token, { grant_type: "refresh_token", refresh_token: token }, basic(clients.basic));
const userinfo = (token) => fetch(endpoints.userinfo, { headers: { authorization: `Bearer ${token}` } });

test("tells where everything is, by both kinds of discovery", async () => {
  for (const path of ["openid-configuration", "oauth-authorization-server"]) {
    const found = await (await fetch(`${server.url}/.well-known/${path}`)).json();
    assert.equal(found.issuer, server.issuer);
    assert.equal(found.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(
      [found.authorization_endpoint, found.token_endpoint, found.userinfo_endpoint, found.revocation_endpoint, found.introspection_endpoint, found.device_authorization_endpoint, found.registration_endpoint],
      [endpoints.authorization, endpoints.token, endpoints.userinfo, endpoints.revocation, endpoints.introspection, endpoints.device, endpoints.registration],
    );
  }
});

test("a code with its verifier becomes tokens, once", async () => {
  const { verifier, said } = await ask(alice);
  assert.equal(said.iss, server.issuer);
  assert.equal(said.state, "s");
  const trade = (code_verifier) => post(endpoints.token, { grant_type: "authorization_code", code: said.code, redirect_uri: REDIRECT, code_verifier }, basic(clients.basic));
  assert.equal((await trade("x".repeat(43))).error, "invalid_grant");
  const tokens = await trade(verifier);
  assert.equal(tokens.expires_in, 3600);
  assert.ok(tokens.refresh_token);
  assert.equal((await (await userinfo(tokens.access_token)).json()).email, "alice@example.com");
  assert.equal((await trade(verifier)).error, "invalid_grant");
});

test("each client proves itself in its own way only", async () => {
  const { verifier, said } = await ask(alice, { client: clients.public });
  const code = { grant_type: "authorization_code", code: said.code, redirect_uri: REDIRECT, code_verifier: verifier };
  assert.ok((await post(endpoints.token, { ...code, client_id: clients.public.id })).access_token);
  const own = { grant_type: "client_credentials", scope: "api:read" };
  const { id, secret } = clients.post;
  assert.ok((await post(endpoints.token, { ...own, client_id: id, client_secret: secret })).access_token);
  assert.ok((await post(endpoints.token, own, basic(clients.basic))).access_token);
  assert.equal((await post(endpoints.token, own, basic({ ...clients.basic, secret: "wrong" }))).error, "invalid_client");
  const raw = { authorization: `Basic ${btoa(`${clients.basic.id}:${clients.basic.secret}`)}` };
  assert.notEqual((await post(endpoints.token, own, raw)).status, 200);
});

test("a person may refuse, allow less, or be someone else", async () => {
  assert.equal((await ask({ ...alice, decision: "refuse" })).said.error, "access_denied");
  const less = await connect({ ...alice, scopes: ["email"] });
  assert.equal(less.scope, "openid email");
  const bob = await connect({ user: "bob@example.com" });
  assert.equal((await (await userinfo(bob.access_token)).json()).email, "bob@example.com");
});

test("a redirect elsewhere is refused until it is added", async () => {
  const elsewhere = { redirect_uri: "https://other.example/cb" };
  assert.match((await ask(alice, elsewhere)).page ?? "", /redirect_uri/);
  control.addRedirectUri(elsewhere.redirect_uri);
  assert.match((await ask(alice, elsewhere)).location ?? "", /^https:\/\/other\.example\/cb\?code=/);
});

test("refresh tokens rotate, and one used again ends its family alone", async () => {
  const [first, other] = [await connect(), await connect()];
  const second = await refresh(first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await refresh(first.refresh_token)).error, "invalid_grant");
  assert.equal((await refresh(second.refresh_token)).error, "invalid_grant");
  assert.equal((await userinfo(second.access_token)).status, 401);
  assert.equal((await refresh(other.refresh_token)).status, 200);
  assert.equal(control.presentationsOf(first.refresh_token), 2);
  assert.equal(control.presentations()[digest(second.refresh_token)], 1);
  const seen = control.tokenRequests.filter(({ refreshToken }) => refreshToken === digest(first.refresh_token));
  assert.deepEqual(seen.map(({ grantType, client, status }) => [grantType, client, status]), [["refresh_token", clients.basic.id, 200], ["refresh_token", clients.basic.id, 400]]);
});

test("tokens can be revoked, inspected, shortened and taken from a user", async () => {
  const tokens = await connect();
  const inspect = () => post(endpoints.introspection, { token: tokens.access_token }, basic(clients.basic));
  assert.equal((await inspect()).active, true);
  assert.equal((await post(endpoints.revocation, { token: tokens.refresh_token }, basic(clients.basic))).status, 200);
  assert.equal((await inspect()).active, false);
  control.setLifetime(5);
  const carol = await connect({ user: "carol@example.com" });
  control.setLifetime(3600);
  assert.equal(carol.expires_in, 5);
  assert.equal(control.revokeUser("carol@example.com"), 1);
  assert.equal((await refresh(carol.refresh_token)).error, "invalid_grant");
});

test("a device connects when its code was entered", async () => {
  const begin = () => post(endpoints.device, { client_id: clients.public.id, scope: "openid email" });
  const poll = ({ device_code }) => post(endpoints.token, { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code, client_id: clients.public.id });
  const device = await begin();
  assert.equal((await poll(device)).error, "authorization_pending");
  const enter = (user_code, decision) => post(`${server.url}/test/device`, { user_code, user: alice.user, decision });
  await enter(device.user_code, "allow");
  const tokens = await poll(device);
  assert.ok(tokens.access_token && tokens.refresh_token);
  const refused = await begin();
  await enter(refused.user_code, "refuse");
  assert.equal((await poll(refused)).error, "access_denied");
});

test("clients register themselves", async () => {
  const answer = await fetch(endpoints.registration, {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect_uris: ["https://patchbay.example/own"], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] }),
  });
  assert.equal(answer.status, 201);
  const { client_id, client_secret } = await answer.json();
  const { said } = await ask(alice, { client: { id: client_id, secret: client_secret }, redirect_uri: "https://patchbay.example/own" });
  assert.ok(said.code);
});

test("is driven over HTTP by tests of another process", async () => {
  const described = await startDescribedOidcProvider({ hostname: "localhost" });
  try {
    const { test: base, issuer, endpoints: there, clients: known } = JSON.parse(readFileSync(described.path, "utf8"));
    assert.equal(issuer, described.localhostUrl);
    const query = new URLSearchParams({ response_type: "code", client_id: known.basic.id, redirect_uri: "https://patchbay.example/oauth/callback", scope: "openid", state: "s" });
    const { location } = await post(`${base}/authorize`, { url: `${there.authorization}?${query}`, user: "bob@example.com" });
    const code = new URL(location).searchParams.get("code") ?? "";
    await post(`${base}/lifetime`, { seconds: "7" });
    const tokens = await post(there.token, { grant_type: "authorization_code", code, redirect_uri: "https://patchbay.example/oauth/callback" }, basic(known.basic));
    assert.equal(tokens.expires_in, 7);
    assert.equal((await (await fetch(`${base}/log`)).json()).token_requests.length, 1);
    assert.deepEqual(await post(`${base}/revoke`, { user: "bob@example.com" }), { status: 200, grants: 1 });
  } finally {
    await described.stop();
  }
});

test("its pages can cut the opener, and ask no other host", async () => {
  const careful = await startOidcProvider({ coop: true, refreshTokens: "offline_access", alwaysAsk: false });
  try {
    const query = new URLSearchParams({ response_type: "code", client_id: clients.basic.id, redirect_uri: REDIRECT, scope: "openid offline_access", state: "s" });
    const answer = await fetch(`${careful.endpoints.authorization}?${query}`, { redirect: "manual" });
    const cookie = answer.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
    const page = await fetch(new URL(answer.headers.get("location") ?? "", careful.url), { headers: { cookie } });
    assert.equal(page.headers.get("cross-origin-opener-policy"), "same-origin");
    const html = await page.text();
    assert.match(html, /<button name="user" value="bob@example\.com">/);
    assert.doesNotMatch(html, /https?:\/\//);
    for (const [more, refreshes] of /** @type {const} */ ([[{}, false], [{ scope: "openid offline_access", prompt: "consent" }, true]])) {
      const { verifier, said } = await ask(alice, { from: careful, ...more });
      const code = { grant_type: "authorization_code", code: said.code, redirect_uri: REDIRECT, code_verifier: verifier };
      const tokens = await post(careful.endpoints.token, code, basic(clients.basic));
      assert.ok(tokens.access_token);
      assert.equal("refresh_token" in tokens, refreshes);
    }
  } finally {
    await careful.stop();
  }
  assert.equal(await answers(careful.port), false);
});

test("runs by hand and ends on SIGTERM", async () => {
  const running = start(process.execPath, [fileURLToPath(new URL("oidc-provider.mjs", import.meta.url)), "https://mine.example/cb"]);
  const [, origin] = await running.says(/Issuer: (\S+)/);
  await running.says(/https:\/\/mine\.example\/cb/);
  assert.equal((await fetch(`${origin}/.well-known/openid-configuration`)).status, 200);
  await running.stop();
  assert.equal(await answers(Number(new URL(origin).port)), false);
});
