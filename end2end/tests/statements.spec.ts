// SPEC.md's statements, one test each at least; the number in a title is the statement's.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { httpConnection, type Environment } from "../fixtures/rest.ts";
import { expect, test } from "../fixtures/test.ts";
import { temporaryFolder } from "../servers/process.mjs";

const ACME = `
slug = "acme"
name = "Acme"
category = "Our own"
homepage = "https://acme.example"
sources = [{ url = "https://acme.example/docs", read = "2026-11-22" }]

[[methods]]
id = "token"
label = "Token"
kind = "bearer_token"
fields = [
  { id = "base_url", label = "Base URL", kind = "url", plain_http = true, destination = true, help = "Where it is." },
  { id = "token", label = "Token", secret = true, help = "From the settings." },
]

[methods.service]
protocol = "http"
base_url = "{base_url}"
headers = { authorization = "Bearer {token}" }

[[methods.service.probes]]
path = "/me"
identity = "{/login}"
expires = { pointer = "/expires_at" }
outcomes = [{ verdict = "valid", status = [200] }, { verdict = "rejected", status = [401], message = "Refused.", field = "token" }]
`;
const root = resolve(import.meta.dirname, "../..");

test("S1 the page is Connections: credentials and configurations for third-party services", async ({ connections, page }) => {
  await expect(page).toHaveTitle(/Connections/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/^Connections/);
  await expect(page.getByRole("heading", { name: "No connections yet" })).toBeVisible();
  await expect(connections.newConnection).toBeVisible();
});

test("S2 a row shows icon, component, status, tags and creation date", async ({ connections, page, rest }) => {
  const before = Date.now();
  await rest.create({ name: "Alerts", component: "slack", tags: ["ops", "on-call"] });
  await rest.create({ name: "Exports", component: "aws-s3", values: { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "x".repeat(40) } });
  await connections.goTo("/?env=development");
  const row = connections.row("Alerts");
  await expect(row.locator(".component-name")).toHaveText("Slack");
  await expect(connections.row("Exports").locator(".component-name")).toHaveText("AWS S3");
  await expect(connections.badge("Alerts")).toHaveText("NOT ACTIVE");
  await expect(connections.chips("Alerts")).toHaveText(["on-call", "ops"]);
  const icons = [row, connections.row("Exports")].map((one) => one.locator(".logo > *"));
  await expect(icons[0]).toBeVisible();
  await expect(icons[0], "Slack's place on the sheet of icons").toHaveClass(/drawn-slack/);
  const [sheets, places] = ["background-image", "background-position"].map((property) =>
    Promise.all(icons.map((icon) => icon.evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property))),
  );
  const [sheet, other] = await sheets;
  expect(other).toBe(sheet);
  expect(new Set(await places).size, "another icon stands at another place").toBe(2);
  const address = /^url\("(.+)"\)$/.exec(sheet)?.[1] ?? "";
  const drawn = await page.evaluate(async (source) => (await createImageBitmap(await (await fetch(source)).blob())).width, address);
  expect(drawn, "the sheet is a picture").toBeGreaterThan(200);
  const created = row.locator("time.created");
  await expect(created).toBeVisible();
  const moment = Date.parse((await created.getAttribute("datetime")) ?? "");
  expect(moment).toBeGreaterThanOrEqual(before - 1000);
  expect(moment).toBeLessThanOrEqual(Date.now() + 1000);
});

test("S3 status is ACTIVE or NOT ACTIVE; an invalid and a missing credential each say why and are mended by an update", async ({ connections, rest, api }) => {
  api.accept("right-token");
  await rest.create(httpConnection("Good", api.bearerUrl, "right-token"));
  await rest.create(httpConnection("Bad", api.bearerUrl, "wrong-token", { validate: false }));
  await rest.create(httpConnection("Turned", api.bearerUrl, "right-token"));
  await rest.create({ ...httpConnection("Empty", api.bearerUrl, ""), values: { base_url: api.bearerUrl, test_path: "/me" }, validate: false });
  api.accept("new-token");
  api.refuse("right-token");
  await connections.goTo("/?env=development");
  await expect(connections.badge("Good")).toHaveText("ACTIVE");
  await expect(connections.badge("Bad")).toHaveText("NOT ACTIVE");
  await connections.act("Turned", "Test now");
  await expect(connections.badge("Turned")).toHaveText("NOT ACTIVE");
  await expect(connections.row("Turned").locator(".why")).toContainText(/refused/i);
  await expect(connections.badge("Empty")).toHaveText("NOT ACTIVE");
  await expect(connections.row("Empty").locator(".why")).toContainText(/missing/i);
  const words = await connections.rows.locator(".badge").allTextContents();
  expect(words.every((word) => ["ACTIVE", "NOT ACTIVE"].includes(word.trim()))).toBe(true);

  for (const name of ["Turned", "Bad", "Empty"]) {
    await connections.row(name).getByRole("button", { name: "Update" }).click();
    if (name !== "Empty") await connections.button("Replace Token").click();
    await connections.fill({ Token: "new-token" });
    await connections.save();
    await connections.saved();
    await expect(connections.badge(name)).toHaveText("ACTIVE");
  }
});

test.describe("with a component of the operator's own, whose service tells when a token ends", () => {
  test.use({
    settings: async ({}, use) => {
      const { folder, remove } = temporaryFolder("catalog");
      writeFileSync(`${folder}/acme.toml`, ACME);
      await use({ environment: { PATCHBAY_CATALOG_DIR: folder } });
      remove();
    },
  });

  test("S3 an expired credential is NOT ACTIVE, says so, and is mended by an update", async ({ connections, rest, api }) => {
    const ends = new Date(Date.now() + 3_000);
    api.accept("short", "ops", { expires_at: ends.toISOString() });
    api.accept("long", "ops", { expires_at: "2099-01-01T00:00:00Z" });
    await rest.create({ name: "Ledger", component: "acme", method: "token", values: { base_url: api.bearerUrl, token: "short" }, validate: true });
    await connections.goTo("/?env=development");
    await expect(connections.badge("Ledger")).toHaveText("ACTIVE");
    await expect.poll(() => Date.now()).toBeGreaterThan(ends.getTime());
    await connections.goTo("/?env=development");
    await expect(connections.badge("Ledger")).toHaveText("NOT ACTIVE");
    await expect(connections.row("Ledger").locator(".why")).toContainText(/expired/i);
    await connections.row("Ledger").getByRole("button", { name: "Update" }).click();
    await connections.button("Replace Token").click();
    await connections.fill({ Token: "long" });
    await connections.save();
    await connections.saved();
    await expect(connections.badge("Ledger")).toHaveText("ACTIVE");
  });
});

test("S4 New Connection stands in the top right corner", async ({ connections, page }) => {
  const { width } = page.viewportSize()!;
  const place = (await connections.newConnection.boundingBox())!;
  expect(place.y).toBeLessThan(120);
  expect(place.x + place.width).toBeGreaterThan(width * 0.85);
  await connections.newConnection.click();
  await expect(connections.dialog.getByRole("heading", { name: "New connection" })).toBeVisible();
});

test("S5 select the component, give the credentials it requires, assign tags, save", async ({ connections, rest, api }) => {
  api.accept("right-key");
  await connections.begin("HTTP API", "API key in a header");
  await connections.fill({ "Base URL": api.headerUrl, "API key": "right-key", "Test path": "/me", Name: "Billing export" });
  await connections.addTags("billing", "eu");
  await connections.save();
  await connections.saved();
  await expect(connections.chips("Billing export")).toHaveText(["billing", "eu"]);
  expect(await rest.list()).toMatchObject([{ name: "Billing export", component: "http", status: "active" }]);
});

test("S5 what is missing is said at its field, and nothing typed is lost", async ({ connections, api }) => {
  await connections.begin("HTTP API", "Bearer token");
  await connections.fill({ "Base URL": api.bearerUrl, Name: "Half" });
  await connections.save();
  await connections.expectProblem("Token", /needed/);
  await expect(connections.field("Base URL")).toHaveValue(api.bearerUrl);
  await expect(connections.field("Name")).toHaveValue("Half");
  expect(api.requests).toEqual([]);
});

test("S6 on Save the connection is validated: ACTIVE if the credentials are correct, and only then", async ({ connections, rest, api }) => {
  api.accept("right-token");
  await connections.begin("HTTP API", "Bearer token");
  await connections.fill({ "Base URL": api.bearerUrl, Token: "wrong-token", "Test path": "/me", Name: "Orders" });
  await connections.save();
  await connections.expectProblem("Token", /refused/);
  expect(await rest.list()).toEqual([]);
  await connections.fill({ Token: "right-token" });
  await connections.save();
  await connections.saved();
  await expect(connections.badge("Orders")).toHaveText("ACTIVE");
  expect(api.requests.map((request) => request.credential)).toEqual(["wrong-token", "right-token"]);
});

test("S7 tags change without the credentials, and credentials without the tags", async ({ connections, rest, api }) => {
  api.accept("first");
  const { id } = await rest.create(httpConnection("Orders", api.bearerUrl, "first", { tags: ["eu"] }));
  await connections.goTo("/?env=development");
  const asked = api.requests.length;
  await connections.act("Orders", "Edit");
  await connections.addTags("billing");
  await connections.save();
  await connections.saved();
  await expect(connections.chips("Orders")).toHaveText(["billing", "eu"]);
  expect(api.requests.length, "changing tags asks the service nothing").toBe(asked);
  await connections.act("Orders", "Test now");
  await expect.poll(() => api.requests.at(-1)?.credential).toBe("first");

  api.accept("second");
  await connections.act("Orders", "Edit");
  await expect(connections.dialog).toContainText(/stored/i);
  await connections.button("Replace Token").click();
  await connections.fill({ Token: "second" });
  await connections.save();
  await connections.saved();
  expect(api.requests.at(-1)?.credential).toBe("second");
  expect(await rest.get(id)).toMatchObject({ tags: ["billing", "eu"], status: "active" });
});

test("S8 deletion names the workflows that will need a replacement, then removes the connection", async ({ connections, rest }) => {
  const { id } = await rest.create({ name: "Alerts" });
  await rest.create({ name: "Other" });
  await rest.registerWorkflow("wf-1", "Nightly orders", [id]);
  await rest.registerWorkflow("wf-2", "Weekly report", [id]);
  await connections.goTo("/?env=development");
  await expect(connections.row("Alerts").locator(".used")).toHaveText("2 workflows");
  await connections.act("Alerts", "Delete");
  await expect(connections.dialog.getByRole("heading", { name: "Delete Alerts?" })).toBeVisible();
  await expect(connections.dialog).toContainText("Nightly orders");
  await expect(connections.dialog).toContainText("Weekly report");
  await expect(connections.dialog).toContainText(/replacement/i);
  await connections.button("Keep").click();
  await expect(connections.row("Alerts")).toBeVisible();
  await connections.act("Alerts", "Delete");
  await connections.button("Delete").click();
  await connections.expectNames("Other");
  expect((await rest.list()).map((connection) => connection.name)).toEqual(["Other"]);
});

test("S8 where no workflow is registered, Patchbay does not claim that none uses it", async ({ connections, rest }) => {
  await rest.create({ name: "Alerts" });
  await connections.goTo("/?env=development");
  await connections.act("Alerts", "Delete");
  await expect(connections.dialog).toContainText("Patchbay does not know which workflows use it.");
});

test("S9 tags are added and removed on the row", async ({ connections, rest, page }) => {
  const { id } = await rest.create({ name: "Alerts", tags: ["old"] });
  await connections.goTo("/?env=development");
  const row = connections.row("Alerts");
  await row.getByRole("button", { name: "Edit tags of Alerts" }).click();
  const field = page.getByRole("textbox", { name: "Tags" }).or(page.getByRole("combobox", { name: "Tags" }));
  await field.fill("new");
  await field.press("Enter");
  await page.getByRole("button", { name: "Remove tag old" }).click();
  await field.press("Enter");
  await expect(connections.chips("Alerts")).toHaveText(["new"]);
  await expect.poll(async () => (await rest.get(id)).tags).toEqual(["new"]);
  await connections.expectCount("new", 1);
});

test("S9 a tag that is written otherwise is written so beside the list as well", async ({ connections, rest }) => {
  const { id } = await rest.create({ name: "Alerts", tags: ["Ops"] });
  await connections.goTo("/?env=development");
  await expect(connections.filter("Ops").locator(".label")).toHaveText("Ops");
  expect((await rest.request("PATCH", `/connections/${id}`, { tags: ["ops"] })).status).toBe(200);
  await expect(connections.chips("Alerts")).toHaveText(["ops"]);
  await expect(connections.filter("ops").locator(".label")).toHaveText("ops");
});

test("S10 Components lists those with a connection and no others; a click narrows; All Components shows everything", async ({ connections, rest, page }) => {
  await rest.create({ name: "Alerts" });
  await rest.create({ name: "Releases" });
  await rest.create({ name: "Charges", component: "stripe", values: { api_key: `sk_test_${"0".repeat(24)}` } });
  await connections.goTo("/?env=development");
  const others = ["GitHub", "Notion", "Twilio", "Redis"];
  for (const name of others) await expect(connections.filter(name)).toHaveCount(0);
  await connections.expectCount("All Components", 3);
  const mark = await connections.filter("All Components").locator("path").boundingBox();
  expect(mark?.width, "its mark, which no other style squeezes").toBeGreaterThan(10);
  await connections.expectCount("Slack", 2);
  await connections.filter("Slack").click();
  await connections.expectNames("Alerts", "Releases");
  await expect(connections.filter("Slack")).toHaveAttribute("aria-current", "true");
  await connections.filter("All Components").click();
  await connections.expectNames("Alerts", "Releases", "Charges");
  for (const name of ["Alerts", "Releases"]) {
    await connections.act(name, "Delete");
    await connections.button("Delete").click();
    await expect(connections.row(name)).toHaveCount(0);
  }
  await expect(connections.filter("Slack"), "the last deletion removes the entry").toHaveCount(0);
  await expect(page.getByRole("heading", { name: "Components" })).toBeVisible();
});

test("S11 a click on a tag filters by it; several mean all of them", async ({ connections, rest, page }) => {
  await rest.create({ name: "One", tags: ["eu", "ops"] });
  await rest.create({ name: "Two", tags: ["eu"] });
  await rest.create({ name: "Three", tags: ["us"] });
  await connections.goTo("/?env=development");
  await expect(connections.filters.getByRole("heading", { name: "Tags" })).toBeVisible();
  await connections.expectCount("eu", 2);
  await connections.filter("eu").click();
  await connections.expectNames("One", "Two");
  await connections.filter("ops").click();
  await connections.expectNames("One");
  await expect(connections.filter("us").locator(".count")).toHaveText("0");
  await page.getByRole("link", { name: "Clear filters" }).first().click();
  await connections.expectNames("One", "Two", "Three");
  await connections.chips("Three").first().click();
  await connections.expectNames("Three");
});

test("S12 a selector switches between Development, Staging and Production; each shows its own", async ({ connections, rest, page }) => {
  await rest.create({ name: "Dev only", environment: "development" });
  await rest.create({ name: "Staging only", environment: "staging" });
  await connections.goTo("/?env=development");
  await expect(connections.environments.getByRole("link")).toHaveText(["Development", "Staging", "Production"]);
  await connections.expectNames("Dev only");
  await connections.switchTo("Staging");
  await connections.expectNames("Staging only");
  await expect(page.locator("[data-environment=staging]").first()).toBeVisible();
  await connections.switchTo("Production");
  await expect(page.getByRole("heading", { name: "Nothing in Production yet" })).toBeVisible();
  await connections.begin("Slack");
  await expect(connections.dialog).toContainText("Production");
});

test("S13 the same name in three environments, each validated with its own credential", async ({ connections, rest, api }) => {
  const secrets: Record<Environment, string> = { development: "dev-token", staging: "staging-token", production: "production-token" };
  for (const secret of Object.values(secrets)) api.accept(secret, secret.replace("token", "account"));
  for (const environment of ["Development", "Staging", "Production"] as const) {
    if (environment !== "Development") await connections.switchTo(environment);
    await connections.begin("HTTP API", "Bearer token");
    await connections.fill({ "Base URL": api.bearerUrl, Token: secrets[environment.toLowerCase() as Environment], "Test path": "/me", Name: "Orders" });
    await connections.save();
    await connections.saved();
    await expect(connections.badge("Orders")).toHaveText("ACTIVE");
  }
  expect(api.requests.map((request) => request.credential)).toEqual(Object.values(secrets));
  api.refuse("staging-token");
  for (const [environment, status] of [["Staging", "NOT ACTIVE"], ["Development", "ACTIVE"], ["Production", "ACTIVE"]] as const) {
    await connections.switchTo(environment);
    const asked = api.requests.length;
    await connections.act("Orders", "Test now");
    await expect.poll(() => api.requests.length).toBe(asked + 1);
    expect(api.requests.at(-1)?.credential).toBe(secrets[environment.toLowerCase() as Environment]);
    await expect(connections.badge("Orders")).toHaveText(status);
  }
  expect(new Set((await Promise.all((["development", "staging", "production"] as const).map((e) => rest.list(e)))).map(([c]) => c.id)).size).toBe(3);
});

test("S13 an id of another environment is not found with a key that may not see it", async ({ rest, patchbay }) => {
  const { id } = await rest.create({ name: "Alerts", environment: "production" });
  const key = await patchbay.newApiKey("development");
  const tries: [string, string, unknown?][] = [
    ["GET", `/connections/${id}`],
    ["PATCH", `/connections/${id}`, { tags: ["x"], version: 1 }],
    ["POST", `/connections/${id}/test`],
    ["DELETE", `/connections/${id}`],
    ["POST", `/connections/${id}/undelete`],
  ];
  for (const [method, path, body] of tries) expect((await rest.request(method, path, body, key)).status, `${method} ${path}`).toBe(404);
  expect((await rest.list("production")).length).toBe(1);
});

test("S14 one Rust application: rendered on the server, taken over in the browser by WebAssembly", async ({ connections, page, rest }) => {
  await rest.create({ name: "Alerts", tags: ["ops"] });
  const html = await (await page.request.get(`${connections.url}/?env=development`)).text();
  expect(html).toContain("Alerts");
  const module = page.waitForResponse((response) => /\.wasm$/.test(new URL(response.url()).pathname));
  await connections.goTo("/?env=development");
  const wasm = await module;
  expect(wasm.headers()["content-type"]).toBe("application/wasm");
  // Sidebar, chips and badges are rendered in the browser: a filter changes them without a request.
  await connections.withoutRequests(async () => {
    await connections.filter("ops").click();
    await expect(connections.filter("ops")).toHaveAttribute("aria-current", "true");
    await expect(connections.chips("Alerts")).toHaveText(["ops"]);
    await expect(connections.badge("Alerts")).toBeVisible();
  });
});

test("S15 filtering is reactive and happens in the browser", async ({ connections, page, rest }) => {
  await rest.create({ name: "Alerts", tags: ["ops"] });
  await rest.create({ name: "Invoices", tags: ["billing"] });
  await connections.goTo("/?env=development");
  await connections.withoutRequests(async () => {
    await connections.search.pressSequentially("inv");
    await connections.expectNames("Invoices");
    await connections.expectCount("billing", 1);
    await connections.expectCount("ops", 0);
    await connections.search.fill("");
    await connections.expectNames("Alerts", "Invoices");
    await connections.filter("Not active").click();
    await connections.expectNames("Alerts", "Invoices");
    await connections.filter("Active").click();
    await expect(page.getByRole("heading", { name: /No connection matches/ })).toBeVisible();
  });
});

test("S17 the packages and files asked for are there, and Leptos.toml is really read", async ({ patchbay }) => {
  const manifest = readFileSync(`${root}/Cargo.toml`, "utf8");
  for (const name of ["leptos", "leptos_axum", "axum", "tokio", "sqlx", "serde", "oauth2", "aes-gcm", "web-sys"]) {
    expect(manifest, name).toMatch(new RegExp(`^${name} = `, "m"));
  }
  for (const name of ["Cargo.toml", "src", "style", "public", "end2end", "Leptos.toml", "README.md"]) {
    expect(existsSync(`${root}/${name}`), name).toBe(true);
  }
  expect(manifest).toContain("[package.metadata.leptos]");
  writeFileSync(`${patchbay.folder}/Leptos.toml`, 'log = "warn,patchbay=debug"\n\n[package.metadata.leptos]\noutput-name = "patchbay"\n');
  const lines = await patchbay.command("doctor");
  expect(lines).toMatch(/warn,patchbay=debug.*Leptos\.toml|Leptos\.toml.*warn,patchbay=debug/);
});
