// The sample platform and the examples against a stand-in for Patchbay, in Chromium: what is theirs works by itself.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { chromium } from "@playwright/test";
import { startOrbit } from "./orbit.mjs";

const KEY = "pb_inst_test";
const FRAME = `<!doctype html><html lang="en"><title>stand-in</title><h1>Stand-in</h1><button>Choose Orders</button><p></p><script>
  const say = (message) => parent.postMessage({ patchbay: 1, ...message }, "*");
  addEventListener("message", ({ data }) => {
    if (data.type === "configure") { document.documentElement.dataset.scheme = data.theme?.scheme ?? ""; say({ type: "ticket-wanted", reason: "start" }); }
    if (data.type === "ticket") { document.querySelector("p").textContent = data.ticket; say({ type: "signed-in" }); say({ type: "size", height: 450 }); }
  });
  document.querySelector("button").onclick = () => {
    const type = { picker: "picked", create: "created", reconnect: "reconnected" }[location.pathname.split("/").pop()];
    say({ type, connection: { id: "con_1", name: "Orders", component: "http", status: window.status_ ?? "active" } });
  };
  say({ type: "ready", version: 1 });
</script></html>`;

/** What the platform needs of Patchbay, and what it asked. */
async function startStandIn() {
  const asked = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { pathname } = new URL(request.url, "http://127.0.0.1");
    if (pathname.startsWith("/api/v1/")) {
      asked.push({ method: request.method, pathname, key: request.headers.authorization, body: JSON.parse(body) });
      return response.writeHead(201).end(JSON.stringify({ ticket: "pb_tkt_stand-in" }));
    }
    if (pathname.startsWith("/embed/")) return response.writeHead(200, { "content-type": "text/html" }).end(FRAME);
    const headers = { "content-type": "text/javascript", "access-control-allow-origin": "*" };
    return response.writeHead(200, headers).end(readFileSync(new URL("../../sdk/patchbay.js", import.meta.url)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { asked, url: `http://127.0.0.1:${server.address().port}`, stop: () => (server.closeAllConnections(), server.close()) };
}

describe("the sample platform", { timeout: 300_000 }, () => {
  let patchbay, orbit, browser;
  before(async () => {
    patchbay = await startStandIn();
    orbit = await startOrbit({ patchbay: patchbay.url, instanceKey: KEY, apiKey: "pb_test" });
    browser = await chromium.launch({ executablePath: process.env.PATCHBAY_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(async () => {
    await browser?.close();
    await orbit?.stop();
    patchbay?.stop();
  });

  /** A page whose end is quiet: no error, no policy hurt. */
  const onPage = (name, path, body) => test(name, { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    const troubles = [];
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    await page.goto(orbit.url + path);
    await body(page);
    assert.deepEqual(troubles, []);
    await page.close();
  });

  test("it creates its workspace for its own origin, with the key in a header", () => {
    const [{ method, pathname, key, body }] = patchbay.asked;
    assert.deepEqual([method, pathname, key, body.allowed_origins], ["PUT", "/api/v1/workspaces/orbit", `Bearer ${KEY}`, [orbit.url]]);
  });

  test("it makes no ticket for a page of another site", async () => {
    const answer = await fetch(`${orbit.url}/patchbay-ticket`, { method: "POST", headers: { "sec-fetch-site": "cross-site" } });
    assert.equal(answer.status, 403);
  });

  test("it serves no file outside its own folders", async () => {
    for (const path of ["/..%2f..%2fpackage.json", "/examples/..%2f..%2fpackage.json", "/sample.mjs", "/orbit.mjs"]) {
      assert.equal((await fetch(orbit.url + path)).status, 404, path);
    }
  });

  onPage("a step takes the connection that was picked, and the workflow is registered", "/", async (page) => {
    await page.getByRole("button", { name: "Choose a connection for Price them" }).click();
    await page.frameLocator("dialog iframe").getByRole("button", { name: "Choose Orders" }).click();
    await page.getByText("HTTP API: Orders").waitFor();
    const session = patchbay.asked.find(({ pathname }) => pathname.endsWith("/embed/sessions"));
    assert.deepEqual([session.body.user.id, session.body.role, session.body.origin], ["ada", "owner", orbit.url]);
    const registered = patchbay.asked.find(({ pathname }) => pathname === "/api/v1/workflows/nightly-orders");
    assert.deepEqual([registered.key, registered.body.connections], ["Bearer pb_test", ["con_1"]]);
  });

  onPage("a connection that ended shows a banner, and reconnecting takes it away", "/", async (page) => {
    await page.getByRole("button", { name: /the connection of Price them|connection for Price them/ }).click();
    const frame = page.frameLocator("dialog iframe");
    await frame.locator("body").evaluate(() => (window.status_ = "not_active"));
    await frame.getByRole("button", { name: "Choose Orders" }).click();
    await page.getByRole("button", { name: "Reconnect" }).click();
    await page.frameLocator("dialog iframe").getByRole("button", { name: "Choose Orders" }).click();
    await page.getByRole("button", { name: "Reconnect" }).waitFor({ state: "detached" });
  });

  onPage("the whole page is embedded, follows the theme, and goes when it is left", "/#connections", async (page) => {
    const root = page.frameLocator("iframe").locator("html");
    await page.frameLocator("iframe").getByText("pb_tkt_stand-in").waitFor();
    await page.getByLabel("Theme").selectOption("dark");
    await root.and(page.frameLocator("iframe").locator("[data-scheme=dark]")).waitFor({ state: "attached" });
    await page.getByRole("link", { name: "Lead routing" }).click();
    await page.locator("iframe").waitFor({ state: "detached" });
  });

  for (const name of ["plain-html", "react", "vue"]) {
    onPage(`the example in ${name} mounts, grows and picks`, `/examples/${name}/`, async (page) => {
      await page.frameLocator("iframe").first().getByText("pb_tkt_stand-in").waitFor();
      await page.waitForFunction(() => document.querySelector("iframe").offsetHeight === 450);
      await page.getByRole("button", { name: "Choose a connection" }).click();
      await page.frameLocator("dialog iframe").getByRole("button", { name: "Choose Orders" }).click();
      await page.getByText("Orders", { exact: true }).waitFor();
    });
  }
});
