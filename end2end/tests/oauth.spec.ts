// Connecting an account by OAuth 2.0, in a real window, at a real authorization server on another site.
import { expectNothingFound } from "../fixtures/accessible.ts";
import { connect, consent, edit, expect, fillIn, pressConnect, test } from "../fixtures/oauth.ts";

test("S5 an account is connected by OAuth in a window, and the row names it", async ({ connections, provider, page }) => {
  const dialog = await fillIn(connections, provider, "Work mail");
  const popup = await pressConnect(page, dialog);
  await expect(popup.getByRole("heading", { name: "Connect OAuth 2.0 service" })).toBeVisible();
  await expect(popup.locator("main")).toContainText("Development");
  await expectNothingFound(popup);
  await expect(dialog.getByRole("heading", { name: /Waiting/ })).toBeVisible();
  await expectNothingFound(page);
  await consent(popup, "alice@example.com");
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.badge("Work mail")).toHaveText("ACTIVE");
  await expect(connections.row("Work mail")).toContainText("alice@example.com");
  await expect(connections.toasts).toContainText("alice@example.com");
});

test.describe("at a provider that cuts the window off", () => {
  test.use({ coop: true });
  test("the page learns the outcome from the server", async ({ connections, provider }) => {
    await connect(connections, provider, "Cut off", "alice@example.com");
  });
});

test("consent refused is told, nothing typed is lost, and the next try works", async ({ connections, provider, page }) => {
  const dialog = await fillIn(connections, provider, "Second thoughts");
  await consent(await pressConnect(page, dialog), "alice@example.com", "Refuse");
  await expect(dialog.locator("#connect-ending")).toContainText("Access was not allowed", { timeout: 15_000 });
  await expect(connections.field("Client ID")).toHaveValue(provider.clients.basic.id);
  await expectNothingFound(page);
  const again = await pressConnect(page, dialog);
  await consent(again, "alice@example.com");
  await expect(connections.badge("Second thoughts")).toHaveText("ACTIVE", { timeout: 15_000 });
});

test("a blocked window leaves a link that does the same", async ({ connections, provider, page, context }) => {
  const dialog = await fillIn(connections, provider, "Blocked");
  await page.evaluate(() => {
    window.open = () => null;
  });
  await dialog.getByRole("button", { name: /^Connect OAuth/ }).click();
  const link = dialog.getByRole("link", { name: /^Open OAuth 2.0 service in a new tab/ });
  await expect(link).toBeFocused();
  const opened = context.waitForEvent("page");
  await link.click();
  await consent(await opened, "bob@example.com");
  await expect(connections.badge("Blocked")).toHaveText("ACTIVE", { timeout: 15_000 });
});

test("a closed window is not taken for an end, and the address can be opened again", async ({ connections, provider, page, context }) => {
  const dialog = await fillIn(connections, provider, "Closed");
  const popup = await pressConnect(page, dialog);
  await popup.getByRole("button", { name: /^Continue to/ }).waitFor();
  await popup.close();
  await expect(dialog.getByRole("heading", { name: /Waiting/ })).toBeVisible();
  const opened = context.waitForEvent("page");
  await dialog.getByRole("link", { name: "Open it again" }).click();
  await consent(await opened, "alice@example.com");
  await expect(connections.badge("Closed")).toHaveText("ACTIVE", { timeout: 15_000 });
});

test("a link connects from another browser, for somebody who is nobody here", async ({ connections, provider, page, browser }) => {
  const dialog = await fillIn(connections, provider, "By link");
  await dialog.getByText("Somebody else owns the account?").click();
  await dialog.getByRole("button", { name: "Copy a link" }).click();
  const address = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toBeHidden();
  const elsewhere = await browser.newContext();
  const theirs = await elsewhere.newPage();
  await theirs.goto(address);
  await consent(theirs, "bob@example.com");
  await expect(theirs.getByRole("heading", { name: /is connected/ })).toBeVisible({ timeout: 15_000 });
  await expect(connections.badge("By link")).toHaveText("ACTIVE", { timeout: 15_000 });
  await theirs.goto(address);
  await expect(theirs.getByRole("alert")).toContainText("used already");
  await elsewhere.close();
  await expect(page.getByText("bob@example.com")).toBeVisible();
});

test("reconnecting keeps the connection; another account is asked about first", async ({ connections, provider, page }) => {
  await connect(connections, provider, "Kept", "alice@example.com");
  const id = await connections.row("Kept").getAttribute("data-id");
  const dialog = await edit(connections, "Kept");
  await consent(await pressConnect(page, dialog), "alice@example.com");
  await expect(dialog).toBeHidden({ timeout: 15_000 });

  await edit(connections, "Kept");
  const popup = await pressConnect(page, dialog);
  await consent(popup, "bob@example.com");
  await expect(dialog.getByRole("heading", { name: "This is another account" })).toBeVisible({ timeout: 15_000 });
  await expectNothingFound(page);
  await dialog.getByRole("button", { name: "Replace with bob@example.com" }).click();
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.row("Kept")).toContainText("bob@example.com");
  expect(await connections.row("Kept").getAttribute("data-id")).toBe(id);
});

test("another account that came by a link is asked about wherever the connection is looked at", async ({ connections, provider, page, browser }) => {
  await connect(connections, provider, "Handed on", "alice@example.com");
  const dialog = await edit(connections, "Handed on");
  await dialog.getByText("Somebody else owns the account?").click();
  await dialog.getByRole("button", { name: "Copy a link" }).click();
  const address = await dialog.getByRole("textbox", { name: "Link" }).inputValue();
  await dialog.getByRole("button", { name: "Done" }).click();
  const elsewhere = await browser.newContext();
  const theirs = await elsewhere.newPage();
  await theirs.goto(address);
  await consent(theirs, "bob@example.com");
  await expect(theirs.getByRole("heading", { name: "This is another OAuth 2.0 service account" })).toBeVisible({ timeout: 15_000 });
  await elsewhere.close();
  await connections.row("Handed on").getByRole("link", { name: "Handed on" }).click();
  const detail = page.getByRole("complementary", { name: "Handed on" });
  await expect(detail.locator(".notice")).toContainText("Somebody signed in as bob@example.com; until now this connection was alice@example.com.");
  await expectNothingFound(page);
  await detail.getByRole("button", { name: "Choose" }).click();
  await expect(dialog.getByRole("heading", { name: "This is another account" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog, "whoever is not sure may come back").toBeHidden();
  await detail.getByRole("button", { name: "Choose" }).click();
  await dialog.getByRole("button", { name: "Replace with bob@example.com" }).click();
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.row("Handed on")).toContainText("bob@example.com");
  await expect(detail.locator(".notice")).toHaveCount(0);
});

test("an account whose grant was revoked at the provider turns NOT ACTIVE and says to reconnect", async ({ connections, provider }) => {
  provider.control.setLifetime(2);
  await connect(connections, provider, "Revoked", "alice@example.com");
  provider.control.revokeUser("alice@example.com");
  await expect(async () => {
    await connections.act("Revoked", "Test now");
    await expect(connections.badge("Revoked")).toHaveText("NOT ACTIVE", { timeout: 3_000 });
  }).toPass({ timeout: 20_000 });
  await expect(connections.row("Revoked").locator(".why")).toContainText(/Reconnect/);
});

test("client credentials need nobody's consent", async ({ connections, provider }) => {
  const dialog = await connections.begin("OAuth 2.0 service", "Client credentials");
  await connections.fill({
    Name: "Machine", "Token URL": provider.endpoints.token,
    "Client ID": provider.clients.basic.id, "Client secret": provider.clients.basic.secret!,
  });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.badge("Machine")).toHaveText("ACTIVE");
  await connections.begin("OAuth 2.0 service", "Client credentials");
  await connections.fill({
    Name: "Wrong", "Token URL": provider.endpoints.token, "Client ID": provider.clients.basic.id, "Client secret": "wrong",
  });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.locator(".verdict")).toContainText("did not accept the client", { timeout: 15_000 });
});

test("what will be asked for is said in words, and an own client is set up where there is none", async ({ connections, page }) => {
  const dialog = await connections.begin("Gmail");
  await expect(dialog.getByRole("heading", { name: "Patchbay will be able to" })).toBeVisible();
  await expect(dialog.getByRole("textbox", { name: "Redirect URL" })).toHaveValue(`${connections.url}/oauth/callback`);
  await expectNothingFound(page);
  await dialog.getByLabel("Client ID").fill("1234.apps.example");
  await dialog.getByLabel("Client secret", { exact: true }).fill("canary-client-secret");
  await dialog.getByRole("button", { name: "Use this client" }).click();
  await expect(dialog).toContainText("Uses this environment's own client 1234.apps");
  await expect(dialog.getByRole("button", { name: "Connect Gmail" })).toBeEnabled();
  const popup = await pressConnect(page, dialog, /^Connect Gmail/);
  await expect(popup.getByRole("heading", { name: "Connect Gmail" })).toBeVisible();
  await expect(popup.locator("#scopes li").first()).not.toBeEmpty();
  await popup.close();
  await dialog.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(dialog.getByRole("button", { name: "Connect Gmail" })).toBeVisible();
});
