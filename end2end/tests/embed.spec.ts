// Patchbay inside another product, on another site, with a strict policy, a sandbox and third-party cookies blocked.
import { startOidcProvider } from "../servers/oidc-provider.mjs";
import { steeredClock } from "../servers/clock.mjs";
import { expectNothingFound } from "../fixtures/accessible.ts";
import { expect, test, type HostPage } from "../fixtures/embedded.ts";
import type { HttpApi } from "../fixtures/test.ts";

/** Fills the open form with a connection to the HTTP fixture, and saves it. */
async function createHttp(host: HostPage, api: HttpApi, name: string, token = "right-token"): Promise<void> {
  api.accept(token);
  await host.frame.getByRole("tab", { name: "Bearer token" }).click();
  await host.fill({ "Base URL": api.bearerUrl, Token: token, "Test path": "/me", Name: name });
  await host.frame.getByRole("button", { name: "Save", exact: true }).click();
}

/** From the page's own button to a saved connection. */
async function create(host: HostPage, api: HttpApi, name: string): Promise<void> {
  await host.frame.getByRole("button", { name: "New Connection" }).first().click();
  await host.dialog.getByLabel("Search components").fill("HTTP API");
  await host.dialog.locator("button.component-choice").first().click();
  await createHttp(host, api, name);
  await expect(host.row(name)).toContainText("ACTIVE", { timeout: 15_000 });
}

test("S16 the whole page works inside another product, and a connection is created there", async ({ host, api, page, context }) => {
  await host.mounted();
  expect(await host.asked()).toEqual(["start"]);
  await expectNothingFound(page);
  await create(host, api, "Orders");
  const { connection } = await host.hears("changed");
  expect(connection!.id).toMatch(/^con_/);
  await expectNothingFound(page);
  // Nobody was given a cookie, and no address carries a ticket or a token.
  expect((await context.cookies(host.patchbay.url)).map(({ name }) => name)).toEqual([]);
  for (const frame of page.frames()) expect(frame.url()).not.toMatch(/pb_(tkt|emb|inst)_/);
});

test("S16 the picker answers with the connection that was chosen or created", async ({ host, api }) => {
  await host.mounted();
  await create(host, api, "Orders");
  await host.ask("pickConnection", { component: "http" });
  const picker = host.page.frameLocator("dialog iframe");
  await picker.getByText("Orders", { exact: true }).first().click();
  const picked = await host.answer();
  expect([picked!.name, picked!.component]).toEqual(["Orders", "http"]);
  await expect(host.page.locator("dialog")).toHaveCount(0);
  await host.ask("pickConnection", { component: "http" });
  await expect(picker.getByText("Orders", { exact: true }).first()).toBeVisible();
  await picker.getByRole("button", { name: "Cancel" }).click();
  expect(await host.answer()).toBeNull();
});

test("S16 the picker finds one by typing, and takes the first one by Enter", async ({ host, api }) => {
  await host.mounted();
  for (const name of ["Orders", "Invoices", "Rates"]) await create(host, api, name);
  await host.ask("pickConnection", { component: "http" });
  const picker = host.page.frameLocator("dialog iframe");
  await expect(picker.getByLabel("Search connections")).toBeFocused();
  await expect(picker.getByRole("list", { name: "Connections" }).getByRole("button")).toHaveText([/Invoices/, /Orders/, /Rates/]);
  await picker.getByLabel("Search connections").fill("nothing like it");
  await expect(picker.getByText("None matches.")).toBeVisible();
  await picker.getByLabel("Search connections").fill("RAT");
  await expect(picker.getByRole("list", { name: "Connections" }).getByRole("button")).toHaveText([/Rates/]);
  await picker.getByLabel("Search connections").press("Enter");
  expect((await host.answer())!.name).toBe("Rates");
});

test("S16 create only: a form in a dialog, and nothing else", async ({ host, api }) => {
  await host.ask("createConnection", { component: "http" });
  await createHttp(host, api, "Fresh");
  expect((await host.answer())!.name).toBe("Fresh");
  expect((await host.hears("created")).connection!.name).toBe("Fresh");
});

test("S16 reconnect: the same connection, with credentials that are right again", async ({ host, api }) => {
  await host.mounted();
  await create(host, api, "Stale");
  const { connection } = await host.hears("changed");
  api.refuse("right-token");
  api.accept("newer-token");
  await host.ask("reconnect", { connection: connection!.id });
  const form = host.page.frameLocator("dialog iframe");
  // Nothing has to be unfolded: the credential is what it is about.
  const token = form.getByLabel(/^Token(\s|$)/).locator("visible=true").first();
  await expect(token).toBeFocused();
  await token.fill("newer-token");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  expect((await host.answer())!.id).toBe(connection!.id);
});

test("S16 reconnect: what a colleague changed meanwhile ends nothing, and nothing typed is lost", async ({ host, api }) => {
  await host.mounted();
  await create(host, api, "Stale");
  const { connection } = await host.hears("changed");
  api.accept("newer-token");
  await host.ask("reconnect", { connection: connection!.id });
  const form = host.page.frameLocator("dialog iframe");
  await form.getByLabel(/^Token(\s|$)/).locator("visible=true").first().fill("newer-token");
  // In the page behind the dialog, which is as far as a colleague.
  const other = await host.page.context().newPage();
  const { HostPage } = await import("../fixtures/embedded.ts");
  const colleague = new HostPage(other, host.orbit, host.patchbay);
  await colleague.open();
  await colleague.mounted();
  await colleague.row("Stale").getByRole("button", { name: "Actions for Stale" }).click();
  await colleague.frame.getByRole("menuitem", { name: "Edit", exact: true }).click();
  await colleague.fill({ Name: "Renamed" });
  await colleague.frame.getByRole("button", { name: "Save", exact: true }).click();
  await expect(colleague.row("Renamed")).toBeVisible();
  await form.getByRole("button", { name: "Save", exact: true }).click();
  await expect(form.getByText("Somebody else changed this connection meanwhile")).toBeVisible({ timeout: 15_000 });
  expect((await host.told()).map(({ name }) => name)).not.toContain("reconnected");
  await form.getByRole("button", { name: "Save", exact: true }).click();
  expect((await host.answer())!.id).toBe(connection!.id);
  await other.close();
});

test("only one component: before it has a connection it is called by its name, and no filter is offered to drop", async ({ host, api }) => {
  await host.mounted();
  await create(host, api, "Orders");
  await host.mounted({ view: "component", component: "slack" });
  await expect(host.frame.getByRole("heading", { name: "Slack connections" })).toBeVisible();
  await expect(host.frame.getByRole("heading", { name: "No connections yet" })).toBeVisible();
  await expect(host.frame.getByRole("button", { name: "Connect Slack" })).toBeVisible();
  await expect(host.frame.getByText("Clear filters")).toHaveCount(0);
  await expect(host.frame.locator(".bar .count")).toHaveText("0");
});

test("only one component: no other is listed or offered", async ({ host }) => {
  await host.mounted({ view: "component", component: "slack" });
  const filters = host.frame.getByRole("navigation", { name: "Filters" });
  await expect(filters.getByRole("heading", { name: "Status" })).toBeVisible();
  await expect(filters.getByRole("heading", { name: "Components" })).toHaveCount(0);
  await expect(filters.getByRole("link", { name: /All Components|Slack/ })).toHaveCount(0);
  await host.frame.getByRole("button", { name: "New Connection" }).first().click();
  await expect(host.dialog.getByRole("heading", { name: /Slack/ })).toBeVisible();
  await expect(host.dialog.getByLabel("Search components")).toHaveCount(0);
  await expect(host.dialog.getByRole("button", { name: "Back", exact: true })).toHaveCount(0);
});

test("an environment chosen in the frame can be reloaded", async ({ host, page }) => {
  await host.mounted();
  const environments = host.frame.getByRole("navigation", { name: "Environment" });
  await environments.getByRole("link", { name: "Staging" }).click();
  await expect(environments.locator("[aria-current=true]")).toHaveText("Staging");
  const inner = page.frames().find((frame) => frame.url().startsWith(host.patchbay.url))!;
  await inner.evaluate(() => location.reload());
  await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 20_000 }).toBe(2);
  await expect(host.frame.getByRole("heading", { name: "Connections", level: 1 })).toBeVisible();
});

test("theme and environment follow the host while the frame stands", async ({ host, page }) => {
  await host.mounted({ theme: { scheme: "light", accent: "#0f766e", radius: 2 } });
  const root = host.frame.locator("html");
  await expect(root).toHaveCSS("color-scheme", "light");
  await root.evaluate((element) => ((element as HTMLElement).dataset["mark"] = "same document"));
  await host.configure({ theme: { scheme: "dark", accent: "#0f766e", radius: 2 }, environment: "staging" });
  await expect(root).toHaveCSS("color-scheme", "dark");
  await expect(host.frame.getByRole("navigation", { name: "Environment" }).locator("[aria-current=true]")).toHaveText("Staging");
  await expect(root).toHaveAttribute("data-mark", "same document");
  await expectNothingFound(page);
});

test("grow follows the content up to maxHeight; fill keeps the element's height", async ({ host, page, api }) => {
  await page.locator("#box").evaluate((box) => Object.assign(box.style, { height: "auto" }));
  await host.mounted({ sizing: "grow", maxHeight: 480 });
  const height = () => page.locator("iframe").evaluate((iframe) => (iframe as HTMLElement).offsetHeight);
  await expect.poll(height).toBeLessThanOrEqual(480);
  await create(host, api, "Orders");
  expect(await height()).toBeGreaterThan(100);
  await host.configure({ maxHeight: 300 });
  await expect.poll(height).toBeLessThanOrEqual(300);
  await page.setViewportSize({ width: 390, height: 800 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, "pixels that stand out").toBeLessThanOrEqual(0);
});

test("with grow an empty page shows its button, and a form without a page of its own all its fields", async ({ host, page }) => {
  await page.locator("#box").evaluate((box) => Object.assign(box.style, { height: "auto" }));
  await host.mounted({ sizing: "grow" });
  const whole = async (locator: ReturnType<typeof host.frame.getByRole>) => {
    const [frame, inner] = [await page.locator("iframe").boundingBox(), await locator.boundingBox()];
    return frame && inner ? frame.y + frame.height - (inner.y + inner.height) : Number.NEGATIVE_INFINITY;
  };
  const first = host.frame.getByRole("button", { name: "Connect a service" });
  await expect.poll(() => whole(first), "room below the button").toBeGreaterThan(0);
  await host.mounted({ sizing: "grow", maxHeight: 1000, view: "create", component: "http" });
  const height = () => page.locator("iframe").evaluate((iframe) => (iframe as HTMLElement).offsetHeight);
  await expect.poll(height).toBeGreaterThan(500);
  await expect.poll(() => host.frame.locator(".dialog-body").first().evaluate((body) => body.scrollHeight - body.clientHeight)).toBeLessThanOrEqual(1);
});

test("a dialog stands over the whole page, the focus in it, and the page is as before afterwards", async ({ host, page }) => {
  await page.locator("#box").evaluate((box) => Object.assign(box.style, { height: "300px", width: "500px" }));
  await host.mounted({ overlay: true });
  const place = () => page.locator("iframe").evaluate((iframe) => [iframe.getBoundingClientRect().width, iframe.getBoundingClientRect().height]);
  const button = host.frame.getByRole("button", { name: "New Connection" }).first();
  await button.click();
  await expect.poll(place).toEqual([1280, 800]);
  await expect(host.dialog.getByLabel("Search components")).toBeFocused();
  await expectNothingFound(page);
  await page.keyboard.press("Escape");
  await expect.poll(place).toEqual([500, 300]);
  await expect(button).toBeFocused();
  expect(await page.evaluate(() => document.documentElement.style.overflow)).toBe("");
});

test("two people of one workspace never see each other's own connections", async ({ host, api, orbit, browser, patchbay }) => {
  await host.open("grace");
  await host.mounted();
  await create(host, api, "Only Grace's");
  const context = await browser.newContext();
  const { HostPage } = await import("../fixtures/embedded.ts");
  const other = new HostPage(await context.newPage(), orbit, patchbay);
  await other.open("ada");
  await other.mounted();
  await expect(other.frame.getByRole("heading", { name: "Connections", level: 1 })).toBeVisible();
  await expect(other.row("Only Grace's")).toHaveCount(0);
  await context.close();
});

test("a viewer changes nothing", async ({ host }) => {
  await host.open("linus");
  await host.mounted();
  await expect(host.frame.getByRole("heading", { name: "Connections", level: 1 })).toBeVisible();
  await expect(host.frame.getByRole("button", { name: "New Connection" })).toHaveCount(0);
});

test("S16 create only, by OAuth: told although the list knows the connection before the form does", async ({ host, page, troubles }) => {
  troubles.allow(/favicon\.ico/);
  const provider = await startOidcProvider({ hostname: "localhost" });
  await host.ask("createConnection", { component: "oauth2" });
  const form = page.frameLocator("dialog iframe");
  await form.getByRole("tab", { name: "Sign in" }).click();
  const { id, secret } = provider.clients.basic;
  await host.fill({ Name: "Work mail", Issuer: provider.issuer, "Client ID": id, "Client secret": secret!, Scopes: "openid email" });
  const opened = page.waitForEvent("popup");
  await form.getByRole("button", { name: /^Connect OAuth/ }).click();
  const popup = await opened;
  // The form learns of the outcome long after the list has the row.
  await page.route("**/rpc/connect_progress", async (route) => {
    await new Promise((done) => setTimeout(done, 4_000));
    await route.continue().catch(() => undefined);
  });
  await popup.getByRole("button", { name: /^Continue to/ }).click();
  await popup.getByRole("button", { name: "alice@example.com" }).click();
  await popup.getByRole("button", { name: "Allow" }).click();
  expect((await host.answer())!.name).toBe("Work mail");
  expect((await host.told()).filter(({ name }) => name === "created")).toHaveLength(1);
  await provider.stop();
});

test("the host is told of a deletion once it has happened, and of none that was refused", async ({ host, page, api, troubles }) => {
  troubles.allow(/50[0-9]/);
  await host.mounted();
  await create(host, api, "Orders");
  const remove = async () => {
    await host.row("Orders").getByRole("button", { name: "Actions for Orders" }).click();
    await host.frame.getByRole("menuitem", { name: "Delete" }).click();
    await host.dialog.getByRole("button", { name: "Delete", exact: true }).click();
  };
  const kinds = async () => (await host.told()).map(({ kind }) => kind).filter(Boolean);
  await page.route("**/rpc/delete", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"error":"unavailable"}' }));
  await remove();
  await expect(host.row("Orders")).toBeVisible();
  expect(await kinds()).toEqual(["created"]);
  await page.unroute("**/rpc/delete");
  await remove();
  await expect.poll(kinds).toEqual(["created", "deleted"]);
});

test("the host is told which connection each workflow uses after a replacement", async ({ host, api, patchbay, orbit }) => {
  await host.mounted();
  await create(host, api, "Old");
  const old = (await host.hears("changed")).connection!;
  await create(host, api, "Next");
  const next = (await host.told()).filter(({ name }) => name === "changed").at(-1)!.connection!;
  const make = ["api-key", "create", "--workspace", orbit.workspace, "--name", "flows", "--environment", "development", "--permission", "use"];
  const [key] = /pb_[A-Za-z0-9_-]+/.exec(await patchbay.command(...make))!;
  const registered = await fetch(`${patchbay.url}/api/v1/workflows/salaries?environment=development`, {
    method: "PUT", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify({ name: "Salaries", connections: [old.id] }),
  });
  expect(registered.ok).toBe(true);
  await host.row("Old").getByRole("button", { name: "Actions for Old" }).click();
  await host.frame.getByRole("menuitem", { name: "Delete" }).click();
  await host.dialog.getByLabel("Use instead").selectOption({ value: next.id });
  await host.dialog.getByRole("button", { name: "Replace and delete" }).click();
  await expect.poll(async () => (await host.told()).map(({ kind }) => kind).filter(Boolean).slice(-2)).toEqual(["replaced", "deleted"]);
  const replaced = (await host.told()).find(({ kind }) => kind === "replaced")!;
  expect([replaced.connection!.id, replaced.workflows]).toEqual([old.id, { salaries: next.id }]);
});

test("an account is connected by OAuth from within the frame", async ({ host, page, troubles }) => {
  troubles.allow(/favicon\.ico/);
  const provider = await startOidcProvider({ hostname: "localhost" });
  await host.mounted();
  await host.frame.getByRole("button", { name: "New Connection" }).first().click();
  await host.dialog.getByLabel("Search components").fill("OAuth 2.0 service");
  await host.dialog.locator("button.component-choice").first().click();
  await host.dialog.getByRole("tab", { name: "Sign in" }).click();
  const { id, secret } = provider.clients.basic;
  await host.fill({ Name: "Work mail", Issuer: provider.issuer, "Client ID": id, "Client secret": secret!, Scopes: "openid email" });
  const opened = page.waitForEvent("popup");
  await host.dialog.getByRole("button", { name: /^Connect OAuth/ }).click();
  const popup = await opened;
  await popup.getByRole("button", { name: /^Continue to/ }).click();
  await popup.getByRole("button", { name: "alice@example.com" }).click();
  await popup.getByRole("button", { name: "Allow" }).click();
  await expect(host.row("Work mail")).toContainText("ACTIVE", { timeout: 15_000 });
  await provider.stop();
});

const clock = steeredClock();
test.describe("when a quarter of an hour has passed", () => {
  test.use({ settings: { environment: clock.environment } });
  test.beforeEach(() => clock.ahead(0));
  test.afterAll(() => clock.remove());

  test("the frame asks for another ticket and goes on where it was", async ({ host, api, troubles }) => {
    // The bearer has ended on the server before the page's own clock says so.
    troubles.allow(/401/);
    await host.mounted();
    await expect(host.frame.getByRole("button", { name: "New Connection" }).first()).toBeVisible();
    clock.ahead(16);
    await create(host, api, "After the hour");
    expect((await host.asked()).length).toBeGreaterThanOrEqual(2);
  });

  test("a ticket of somebody else begins anew: nothing of the one before stays on the screen", async ({ host, page, api, orbit, troubles }) => {
    troubles.allow(/401/);
    await host.open("grace");
    await host.mounted();
    await create(host, api, "Only Grace's");
    await page.context().addCookies([{ name: "person", value: "ada", url: orbit.url }]);
    clock.ahead(16);
    // What is asked for now meets the end of the bearer: by this click, or by the page itself before it.
    await host.row("Only Grace's").locator(".connection-name").click({ timeout: 2_000 }).catch(() => {});
    await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 20_000 }).toBe(2);
    await expect(host.row("Only Grace's")).toHaveCount(0);
  });

  test("ticket_expired: a ticket that was kept for longer than two minutes", async ({ host, troubles }) => {
    troubles.allow(/401|patchbay\]/);
    const { ticket } = (await host.orbit.ticket({ id: "ada", name: "Ada", role: "owner" })) as { ticket: string };
    clock.ahead(3);
    await host.page.evaluate((kept) => void ((globalThis as unknown as Record<string, unknown>)["getTicket"] = async () => kept), ticket);
    await host.mount();
    await host.hears("problem", "ticket_expired");
  });

  test("a renewal that fails is told, and mended by the next try", async ({ host, troubles }) => {
    troubles.allow(/401|patchbay\]/);
    await host.mounted();
    await expect(host.frame.getByRole("button", { name: "New Connection" }).first()).toBeVisible();
    await host.configure({ getTicket: undefined });
    clock.ahead(16);
    await host.frame.getByRole("button", { name: "New Connection" }).first().click();
    await host.hears("problem", "renewal_failed");
    await host.page.evaluate(() => {
      const { embed, getTicket } = globalThis as unknown as Record<string, any>;
      embed.configure({ getTicket });
    });
    await host.dialog.getByRole("region").getByRole("button", { name: "Try again" }).click();
    await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 15_000 }).toBe(2);
  });

  /** Grace types a connection; then the bearer has ended. */
  async function typed(host: HostPage): Promise<void> {
    await host.open("grace");
    await host.mounted({ overlay: true });
    await host.frame.getByRole("button", { name: "New Connection" }).first().click();
    await host.dialog.getByLabel("Search components").fill("HTTP API");
    await host.dialog.locator("button.component-choice").first().click();
    await host.fill({ Name: "Half typed" });
  }

  test("a renewal that fails while a form is open is told within the form, and mended there by keyboard", async ({ host, page, troubles }) => {
    troubles.allow(/401|patchbay\]/);
    await typed(host);
    await page.evaluate(() => (globalThis as unknown as Record<string, any>)["embed"].configure({ getTicket: async () => Promise.reject(new Error("away")) }));
    // What a frame does a minute before its bearer ends.
    const inner = page.frames().find((frame) => frame.url().startsWith(host.patchbay.url))!;
    await inner.evaluate(() => (globalThis as unknown as Record<string, any>)["patchbayFrame"].refused());
    await host.hears("problem", "renewal_failed");
    const again = host.dialog.getByRole("region").getByRole("button", { name: "Try again" });
    await expect(again).toBeInViewport();
    await page.evaluate(() => {
      const { embed, getTicket } = globalThis as unknown as Record<string, any>;
      embed.configure({ getTicket });
    });
    await again.focus();
    await expect(again).toBeFocused();
    await again.press("Enter");
    await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 15_000 }).toBe(2);
    await expect(again).toBeHidden();
    await expect(host.dialog.getByLabel(/^Name(\s|$)/)).toHaveValue("Half typed");
  });

  test("user_changed: what one person typed is not sent once another is signed in", async ({ host, page, orbit, troubles }) => {
    troubles.allow(/401|patchbay\]/);
    await typed(host);
    await page.context().addCookies([{ name: "person", value: "ada", url: orbit.url }]);
    const inner = page.frames().find((frame) => frame.url().startsWith(host.patchbay.url))!;
    await inner.evaluate(() => (globalThis as unknown as Record<string, any>)["patchbayFrame"].refused());
    await host.hears("problem", "user_changed");
    const again = host.dialog.getByRole("region").getByRole("button", { name: "Try again" });
    await expect(again).toBeInViewport();
    const sent: string[] = [];
    page.on("request", (request) => sent.push(new URL(request.url()).pathname));
    const status = await inner.evaluate(async () => {
      const { patchbayFrame } = globalThis as unknown as Record<string, any>;
      return (await fetch("/rpc/first_page", { method: "POST", headers: { authorization: `Bearer ${patchbayFrame.token}` } })).status;
    });
    expect(status).toBe(401);
    await host.fill({ "Base URL": "http://127.0.0.1:8099/", Token: "canary-of-grace" });
    await host.dialog.getByRole("button", { name: "Save", exact: true }).click();
    await expect(host.dialog).toContainText("Nothing was sent: somebody else is signed in now.");
    expect(sent.filter((path) => path.startsWith("/rpc/"))).toEqual([]);
    await expect(host.dialog.getByLabel(/^Name(\s|$)/)).toHaveValue("Half typed");
    await again.click();
    await expect.poll(async () => (await host.told()).filter(({ name }) => name === "signed-in").length, { timeout: 15_000 }).toBe(2);
    await expect(host.frame.getByRole("dialog")).toHaveCount(0);
  });
});
