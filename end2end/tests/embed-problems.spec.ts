// Whatever is missing is said, in the console and in the frame, with what mends it; and an evil page gets nothing.
import { startOrbit } from "../host/orbit.mjs";
import { startOidcProvider } from "../servers/oidc-provider.mjs";
import { expect, test, type HostPage } from "../fixtures/embedded.ts";

/** A ticket as the platform's own server gets it. */
const ticketOf = async (host: HostPage) => (await host.orbit.ticket({ id: "ada", name: "Ada", role: "owner" })) as { ticket: string };

/** Mounts with a `getTicket` that gives these, one after the other. */
async function mountWith(host: HostPage, ...tickets: string[]): Promise<void> {
  await host.page.evaluate((given) => {
    (globalThis as unknown as Record<string, unknown>)["getTicket"] = async () => given.shift() ?? "pb_tkt_none-left";
  }, tickets);
  await host.mount();
}

/** What the frame's server answers to a ticket, asked from outside a browser. */
const trade = (host: HostPage, ticket: string, origin: string) =>
  fetch(`${host.patchbay.url}/embed/token`, {
    method: "POST", headers: { "content-type": "application/json", "sec-fetch-site": "same-origin" }, body: JSON.stringify({ ticket, origin }),
  });

test.beforeEach(({ troubles }) => troubles.allow(/\[patchbay\]|40[0-9]|frame-ancestors|frame-src|Framing/i));

test("no_ticket: a host without getTicket", async ({ host }) => {
  await host.mount({ getTicket: undefined });
  await host.page.evaluate(() => ((globalThis as unknown as Record<string, any>)["embed"].configure({ getTicket: undefined })));
  await host.hears("problem", "ticket_failed");
  await host.hears("problem", "no_ticket");
  await expect(host.frame.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("ticket_used: a ticket that was replayed", async ({ host }) => {
  const { ticket } = await ticketOf(host);
  expect((await trade(host, ticket, host.orbit.url)).status).toBe(200);
  await mountWith(host, ticket);
  await host.hears("problem", "ticket_used");
  await expect(host.frame.locator("body")).toContainText(/used/);
});

test("origin_mismatch: a ticket made for another origin", async ({ host, key }) => {
  const other = await startOrbit({ patchbay: host.patchbay.url, instanceKey: key, origins: [host.orbit.url, "https://app.acme.example"] });
  const answer = await fetch(`${host.patchbay.url}/api/v1/embed/sessions`, {
    method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ workspace: "orbit", user: { id: "ada" }, role: "owner", environments: ["development"], origin: "https://app.acme.example" }),
  });
  expect(answer.status).toBe(201);
  await mountWith(host, ((await answer.json()) as { ticket: string }).ticket);
  await host.hears("problem", "origin_mismatch");
  await other.stop();
});

test("a ticket for an origin the workspace does not allow is not made", async ({ host, key }) => {
  const answer = await fetch(`${host.patchbay.url}/api/v1/embed/sessions`, {
    method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ workspace: "orbit", user: { id: "eve" }, role: "owner", environments: ["development"], origin: "https://evil.example" }),
  });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(await answer.text()).toContain("origin");
});

test("no_answer: an origin that may not embed is not shown anything, and told which line is missing", async ({ host, patchbay, key }) => {
  test.setTimeout(60_000);
  const closed = await startOrbit({ patchbay: patchbay.url, instanceKey: key, workspace: "closed", origins: ["https://app.acme.example"] });
  const lines: string[] = [];
  host.page.on("console", (message) => lines.push(message.text()));
  await host.mount({ workspace: "closed" });
  await host.hears("problem", "no_answer");
  expect(lines.join("\n")).toContain(`"${host.orbit.url}" added to allowed_origins`);
  await closed.stop();
});

test("an unknown workspace is said in words at the top of a window, and framed by nobody", async ({ host, patchbay, page }) => {
  const answer = await fetch(`${patchbay.url}/embed/nobody/connections`);
  expect(answer.status).toBe(404);
  expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  await page.goto(`${patchbay.url}/embed/nobody/connections`);
  await expect(page.locator("body")).toContainText(/workspace/i);
  expect(host.orbit.url).toContain("localhost");
});

test("origin_not_allowed: an origin that was withdrawn while the frame stood", async ({ host, key, patchbay }) => {
  const { ticket } = await ticketOf(host);
  await host.page.exposeFunction("withdrawn", async () => {
    const answer = await fetch(`${patchbay.url}/api/v1/workspaces/orbit`, {
      method: "PUT", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ name: "Orbit", allowed_origins: ["https://app.acme.example"] }),
    });
    return answer.status;
  });
  await host.page.evaluate((kept) => {
    const page = globalThis as unknown as Record<string, any>;
    page["getTicket"] = async () => (await page["withdrawn"](), kept);
  }, ticket);
  await host.mount();
  await host.hears("problem", "origin_not_allowed");
});

test("version_unsupported: a page that speaks another version", async ({ host }) => {
  await host.mounted();
  await host.page.locator("iframe").evaluate((iframe) => void ((iframe as HTMLIFrameElement).src = (iframe as HTMLIFrameElement).src.replace("v=1", "v=2")));
  await host.hears("problem", "version_unsupported");
});

test("wasm_blocked: the module does not come through", async ({ host, troubles }) => {
  troubles.allow(/wasm|WebAssembly|ERR_FAILED|Failed to (load|fetch)/i);
  await host.page.route(/\.wasm$/, (route) => route.abort());
  await host.mount();
  await host.hears("problem", "wasm_blocked");
  await expect(host.frame.locator("body")).toContainText("WebAssembly");
});

test("connection_missing: a reconnect of nothing", async ({ host }) => {
  await host.ask("reconnect", {});
  await host.hears("problem", "connection_missing");
});

test("connection_missing: a reconnect of what is not there", async ({ host, troubles }) => {
  troubles.allow(/404|patchbay\]/);
  await host.ask("reconnect", { connection: `con_${"0".repeat(32)}` });
  expect((await host.hears("problem", "connection_missing")).message).toContain("no such connection");
  await expect(host.page.frameLocator("dialog iframe").getByText("no longer exists here")).toBeVisible();
});

test("component_missing: a component that nobody knows, or none at all", async ({ host, troubles }) => {
  troubles.allow(/patchbay\]/);
  await host.mounted({ view: "component", component: "slak" });
  expect((await host.hears("problem", "component_missing")).message).toContain("no such component");
  await host.mount({ view: "component" });
  await expect(host.frame.locator("body")).toContainText("does not say which component");
});

test.describe("a host whose policy forbids the frame", () => {
  test.use({ orbitSettings: { policy: "default-src 'self'; script-src 'self' http://127.0.0.1:*; frame-src 'none'" } });
  test("host_csp: which word is missing", async ({ host }) => {
    await host.mount();
    const { code } = await host.hears("problem");
    expect(code).toBe("host_csp");
  });
});

test("role_insufficient: a viewer cannot create", async ({ host }) => {
  await host.open("linus");
  await host.ask("createConnection", { component: "slack" });
  await host.hears("problem", "role_insufficient");
});

test("popup_blocked: told, and a link does the same", async ({ host, troubles }) => {
  troubles.allow(/favicon\.ico|patchbay\]/);
  const provider = await startOidcProvider({ hostname: "localhost" });
  await host.mounted();
  const frame = host.page.frames().at(-1)!;
  await frame.evaluate(() => void (window.open = () => null));
  await host.frame.getByRole("button", { name: "New Connection" }).first().click();
  await host.dialog.getByLabel("Search components").fill("OAuth 2.0 service");
  await host.dialog.locator("button.component-choice").first().click();
  await host.dialog.getByRole("tab", { name: "Sign in" }).click();
  const { id, secret } = provider.clients.basic;
  await host.fill({ Name: "Blocked", Issuer: provider.issuer, "Client ID": id, "Client secret": secret! });
  await host.dialog.getByRole("button", { name: /^Connect OAuth/ }).click();
  await host.hears("problem", "popup_blocked");
  await expect(host.dialog.getByRole("link", { name: /in a new tab/ })).toBeVisible();
  await provider.stop();
});

test("an evil parent: a wrong origin, a lie about it and a ticket of another workspace get nothing", async ({ host, key, patchbay }) => {
  const { ticket } = await ticketOf(host);
  expect((await trade(host, ticket, "https://evil.example")).ok).toBe(false);
  const cross = await fetch(`${patchbay.url}/embed/token`, {
    method: "POST", headers: { "content-type": "application/json", "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    body: JSON.stringify({ ticket: (await ticketOf(host)).ticket, origin: host.orbit.url }),
  });
  expect(cross.ok).toBe(false);
  const other = await startOrbit({ patchbay: patchbay.url, instanceKey: key, workspace: "other", origins: [host.orbit.url] });
  const answer = await fetch(`${patchbay.url}/api/v1/embed/sessions`, {
    method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ workspace: "other", user: { id: "eve" }, role: "owner", environments: ["development"], origin: host.orbit.url }),
  });
  await mountWith(host, ((await answer.json()) as { ticket: string }).ticket);
  // The frame stands at `orbit`: a ticket of `other` opens nothing in it.
  await host.hears("problem");
  expect((await host.told()).map(({ name }) => name)).not.toContain("signed-in");
  await other.stop();
});

test("an instance key reads no connection and makes no window of its own", async ({ patchbay, key, host }) => {
  for (const path of ["/connections?environment=development", "/workflows?environment=development"]) {
    const answer = await fetch(`${patchbay.url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
    expect([401, 403, 404, 405], path).toContain(answer.status);
  }
  expect(await host.told()).toEqual([]);
});

test("garbage, and 10,000 messages, cost nothing and change nothing; a reload begins anew", async ({ host, page }) => {
  await host.mounted();
  const took = await page.evaluate(async () => {
    const frame = (document.querySelector("iframe") as HTMLIFrameElement).contentWindow!;
    const began = performance.now();
    for (const evil of [null, 1, "x", [], {}, { patchbay: 2 }, { patchbay: 1 }, { patchbay: 1, type: "configure", theme: { accent: "red;}*{display:none" }, filters: 7 },
      { patchbay: 1, type: "ticket", ticket: { toString: 1 } }]) frame.postMessage(evil, "*");
    for (let n = 0; n < 10_000; n++) frame.postMessage({ patchbay: 2, n }, "*");
    // Nobody listens now: what is sound is not heard either.
    frame.postMessage({ patchbay: 1, type: "environment", environment: "staging" }, "*");
    await new Promise((done) => setTimeout(done, 500));
    return performance.now() - began;
  });
  expect(took).toBeLessThan(5_000);
  const environment = host.frame.getByRole("navigation", { name: "Environment" }).locator("[aria-current=true]");
  await expect(environment).toHaveText("Development");
  await page.waitForTimeout(1_500);
  await page.evaluate(() => (document.querySelector("iframe") as HTMLIFrameElement).contentWindow!.postMessage({ patchbay: 1, type: "environment", environment: "staging" }, "*"));
  await expect(environment).toHaveText("Staging");
  await expect(host.frame.getByRole("heading", { name: "Connections", level: 1 })).toBeVisible();
  await page.frames().at(-1)!.evaluate(() => location.reload()).catch(() => undefined);
  await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 15_000 }).toBe(2);
  await expect(host.frame.getByRole("heading", { name: "Connections", level: 1 })).toBeVisible();
});

test("the shell itself holds nothing: no data, no cookie, no session", async ({ host, patchbay }) => {
  const answer = await fetch(`${patchbay.url}/embed/orbit/connections?v=1`);
  const policy = answer.headers.get("content-security-policy")!;
  expect(policy).toContain(`frame-ancestors ${host.orbit.url}`);
  expect(answer.headers.get("x-frame-options")).toBeNull();
  expect(answer.headers.get("set-cookie")).toBeNull();
});
