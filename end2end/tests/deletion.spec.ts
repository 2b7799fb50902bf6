// A deletion can be taken back: on screen for a while, in Recently deleted for days, and after a restart.
import { httpConnection } from "../fixtures/rest.ts";
import { expect, test } from "../fixtures/test.ts";

test.beforeEach(async ({ connections, rest, api }) => {
  api.accept("right-token");
  await rest.create(httpConnection("Orders", api.bearerUrl, "right-token", { tags: ["eu"] }));
  await connections.goTo("/?env=development");
  await connections.act("Orders", "Delete");
  await connections.button("Delete").click();
  await expect(connections.rows).toHaveCount(0);
});

test("S8 Undo brings back what was deleted, with its secret", async ({ connections, page, api }) => {
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await connections.expectNames("Orders");
  await expect(connections.badge("Orders")).toHaveText("ACTIVE");
  expect(api.requests.at(-1)?.credential).toBe("right-token");
  await expect(connections.chips("Orders")).toHaveText(["eu"]);
});

test("S8 after a restart it waits in Recently deleted, and is tested when it comes back", async ({ connections, patchbay, page, api, troubles }) => {
  troubles.allow(/ERR_CONNECTION_REFUSED/);
  await patchbay.restart();
  await connections.goTo("/deleted?env=development");
  await expect(page.getByRole("heading", { name: "Recently deleted" })).toBeVisible();
  await expect(page.getByText("Orders", { exact: true })).toBeVisible();
  const asked = api.requests.length;
  await page.getByRole("button", { name: /^Restore/ }).click();
  await expect.poll(() => api.requests.length).toBe(asked + 1);
  await connections.goTo("/?env=development");
  await connections.expectNames("Orders");
  await expect(connections.badge("Orders")).toHaveText("ACTIVE");
});

test("S8 Delete now destroys it at once, after asking", async ({ connections, page }) => {
  await connections.goTo("/deleted?env=development");
  await page.getByRole("button", { name: /^Delete now/ }).click();
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("button", { name: /^Restore/ })).toHaveCount(0);
  await connections.goTo("/deleted?env=development");
  await expect(page.getByRole("heading", { name: "Recently deleted" })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Restore/ })).toHaveCount(0);
});

test("S8 in Production, where workflows would break, the name has to be typed", async ({ connections, rest, api }) => {
  const { id } = await rest.create(httpConnection("Payroll", api.bearerUrl, "right-token", { environment: "production" }));
  await rest.registerWorkflow("wf-1", "Salaries", [id], "production");
  await connections.goTo("/?env=production");
  await connections.act("Payroll", "Delete");
  await expect(connections.dialog).toContainText("Salaries");
  await expect(connections.button("Delete")).toBeDisabled();
  await connections.dialog.getByRole("textbox").fill("Payroll");
  await connections.button("Delete").click();
  await expect(connections.rows).toHaveCount(0);
});

test("what takes something away or brings it back leaves the focus where one goes on", async ({ connections, page, rest }) => {
  await page.locator(".toast").getByRole("button", { name: "Undo" }).press("Enter");
  await expect(connections.row("Orders")).toBeFocused();
  for (const name of ["First", "Second"]) await rest.delete((await rest.create({ name })).id);
  await connections.goTo("/deleted?env=development");
  const restore = (name: string) => page.locator(".deleted-row", { hasText: name }).getByRole("button", { name: "Restore" });
  await restore("First").press("Enter");
  await expect(page.getByText("First is back")).toBeVisible();
  await expect(restore("Second")).toBeFocused();
  await restore("Second").press("Enter");
  await expect(page.getByText("Second is back")).toBeVisible();
  await expect(page.getByRole("link", { name: "← Connections" })).toBeFocused();
});

test("a reload asks before it drops what was typed, and only then", async ({ connections, page, troubles }) => {
  await connections.begin("PostgreSQL");
  await connections.fill({ Host: "db.acme.example" });
  troubles.allow(/^beforeunload:/);
  const asked = page.waitForEvent("dialog");
  await page.evaluate(() => void setTimeout(() => location.reload()));
  await (await asked).dismiss();
  await expect(connections.field("Host")).toHaveValue("db.acme.example");
  await page.keyboard.press("Escape");
  await connections.button("Discard").click();
  await expect(connections.dialog).toBeHidden();
  // Asked now, it would wait for an answer for ever.
  await connections.loaded(() => page.reload());
});

test("the secret of an OAuth client, typed in a form within the form, is not dropped unasked", async ({ connections, page }) => {
  const dialog = await connections.begin("Gmail");
  await dialog.getByLabel("Client secret", { exact: true }).fill("GOCSPX-half-typed");
  await page.keyboard.press("Escape");
  await expect(connections.button("Keep editing")).toBeFocused();
  await page.keyboard.press("Escape");
  await dialog.getByLabel("Client secret", { exact: true }).fill("");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});

test("Back and Forward close a dialog as Escape does, and leave the page behind alone", async ({ connections, page }) => {
  await connections.filter("Not active").click();
  await page.waitForURL(/status=/);
  await connections.filter("Active").click();
  await page.goBack();
  const here = page.url();
  // The browser's own buttons; nothing is waited for, as nothing is left.
  const leave = { back: () => page.goBack({ timeout: 2_000 }), forward: () => page.goForward({ timeout: 2_000 }) };
  for (const go of [leave.back, leave.forward]) {
    const press = () => void go().catch(() => {});
    await connections.begin("PostgreSQL");
    press();
    await expect(connections.dialog).toBeHidden();
    await connections.begin("PostgreSQL");
    await connections.fill({ Host: "db.acme.example" });
    press();
    await expect(connections.button("Keep editing")).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(connections.field("Host")).toBeFocused();
    press();
    await connections.button("Discard").click();
    await expect(connections.dialog).toBeHidden();
    expect(page.url()).toBe(here);
  }
  await page.goBack();
  await page.waitForURL((url) => !url.search.includes("status="));
});

test("whoever keeps editing goes on in the field they were in", async ({ connections, page }) => {
  await connections.begin("PostgreSQL");
  await connections.fill({ Host: "db.acme.example" });
  await page.keyboard.press("Escape");
  await expect(connections.button("Keep editing")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(connections.dialog.getByLabel("Host", { exact: true })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(connections.dialog.getByLabel("Host", { exact: true })).toBeFocused();
});
