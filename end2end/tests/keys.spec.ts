// API keys as owners look after them, and the settings around them.
import { expect, test } from "../fixtures/test.ts";

test("a key is made, used, seen in use and revoked", async ({ connections, page, rest, patchbay, troubles }) => {
  // The form that is sent empty.
  troubles.allow(/400/);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page).toHaveURL(/\/settings\/keys\?env=development$/);
  await page.getByRole("button", { name: "New key" }).click();
  await expect(page.getByLabel("Name")).toBeFocused();

  // All that is missing is said at once, and the first of it has the focus.
  await page.getByRole("button", { name: "Make key" }).click();
  await expect(page.locator(".problem").filter({ visible: true, hasText: /./ })).toHaveCount(3);
  await expect(page.getByLabel("Name")).toBeFocused();

  await page.getByLabel("Name").fill("Nightly runtime");
  await page.getByLabel(/^Read/).check();
  await page.getByRole("checkbox", { name: "Development" }).check();
  await page.keyboard.press("Enter");
  const key = await page.getByLabel("Key", { exact: true }).inputValue();
  expect(key).toMatch(/^pb_[\w-]{43}$/);
  await expect(page.getByText("it cannot be shown again", { exact: false })).toBeVisible();
  const row = page.getByRole("listitem").filter({ hasText: "Nightly runtime" });
  await expect(row).toContainText("Never used");
  await expect(row).toContainText(key.slice(0, 9));

  expect((await rest.request("GET", "/connections?environment=development", undefined, key)).status).toBe(200);
  expect((await rest.request("GET", "/connections?environment=production", undefined, key)).status).toBe(404);
  await page.reload();
  await expect(row).toContainText("Last used just now");
  expect(await page.content()).not.toContain(key);

  await row.getByRole("button", { name: "Revoke" }).click();
  await expect(row.getByRole("button", { name: "Keep" })).toBeFocused();
  await row.getByRole("button", { name: "Revoke key" }).click();
  await expect(page.locator(".toasts")).toContainText("Nightly runtime is revoked");
  await expect(row).toHaveCount(0);
  expect((await rest.request("GET", "/connections?environment=development", undefined, key)).status).toBe(401);

  await page.getByRole("link", { name: "Connections" }).click();
  await expect(connections.newConnection).toBeVisible();
  expect(new URL(page.url()).origin).toBe(new URL(patchbay.url).origin);
});

test("a key can be for chosen connections alone", async ({ connections, page, rest }) => {
  const { id } = await rest.create({ name: "Alerts" });
  await rest.create({ name: "Other" });
  await connections.goTo("/?env=development");
  await page.goto(page.url().replace("/?", "/settings/keys?"));
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("Runtime of alerts");
  await page.getByRole("checkbox", { name: "Development" }).check();
  await page.getByLabel(/^Credentials/).check();
  await page.getByLabel("Only some").check();
  await page.getByLabel("Find a connection").fill("ale");
  await page.getByRole("button", { name: /^Alerts/ }).click();
  // What reads is for every connection.
  await page.getByLabel(/^Read/).check();
  await expect(page.getByLabel("Only some")).toBeDisabled();
  await page.getByLabel(/^Read/).uncheck();
  await page.getByLabel("Only some").check();
  await page.getByRole("button", { name: /^Alerts/ }).click();
  await page.getByRole("button", { name: "Make key" }).click();
  const key = await page.getByLabel("Key", { exact: true }).inputValue();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: "Runtime of alerts" })).toContainText("Only Alerts");
  // It does nothing but use them at run time.
  expect((await rest.request("GET", `/connections/${id}`, undefined, key)).status).toBe(403);
});

test("an address of the settings can be opened at once, on a narrow screen too", async ({ connections, page }) => {
  await connections.goTo("/?env=staging");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(page.url().replace("/?", "/settings?"));
  await expect(page.getByRole("heading", { name: "API keys" })).toBeVisible();
  await expect(page.getByRole("link", { name: "API keys" })).toHaveAttribute("aria-current", "page");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await page.goto(page.url().replace("/settings", "/settings/nowhere"));
  await expect(page.getByText("There is no such page.")).toBeVisible();
});

test("without the code of the settings the page says so", async ({ connections, page, troubles }) => {
  troubles.ignoreTheRest();
  await connections.goTo("/?env=development");
  await page.route(/split_settings/, (route) => route.abort());
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "cannot be reached" })).toBeVisible();
});
