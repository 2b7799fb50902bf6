// 10,000 connections in one environment: found at once, without a request, with few rows in the document.
import { expect, signIn, test } from "../fixtures/test.ts";

test.use({ settings: { demo: 10_000 } });
test.describe.configure({ timeout: 120_000 });

test("S15 with 10,000 connections search finds the one that alone holds a word, asking nothing", async ({ page, patchbay, connections, rest }) => {
  await rest.create({ name: "Zanzibar ledger", environment: "production" });
  await connections.goTo("/?env=production");
  await expect(connections.table).toHaveAttribute("aria-rowcount", "10002");
  expect(await connections.rows.count()).toBeLessThan(100);
  await connections.withoutRequests(async () => {
    await connections.search.fill("zanzibar");
    await connections.expectNames("Zanzibar ledger");
    await expect(connections.table).toHaveAttribute("aria-rowcount", "2");
    await expect(page.getByRole("status").filter({ hasText: "1 connection" }).first()).toBeAttached();
    await connections.search.fill("");
    await expect(connections.table).toHaveAttribute("aria-rowcount", "10002");
  });
  expect(patchbay.output).not.toMatch(/ERROR/);
});

test("S15 scrolling shows every row in its place, and the document stays small", async ({ connections, page }) => {
  await connections.goTo("/?env=production");
  await connections.rows.first().hover();
  await page.mouse.wheel(0, 10_000_000);
  await expect(connections.rows.last()).toHaveAttribute("aria-rowindex", "10001");
  await expect(connections.rows.last()).toBeInViewport();
  expect(await connections.rows.count()).toBeLessThan(100);
});

test.describe("without scripts", () => {
  test("S14 the first 50 rows can be read, and the next ones by a link", async ({ browser, page, patchbay }) => {
    await signIn(page, patchbay);
    const context = await browser.newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const plain = await context.newPage();
    await plain.goto(`${patchbay.url}/?env=production`);
    const rows = plain.locator("[role=row][data-id]");
    await expect(rows).toHaveCount(50);
    await expect(rows.first().locator(".badge")).toHaveText(/^(NOT )?ACTIVE$/);
    await expect(plain.locator("noscript p")).toBeVisible();
    const first = await rows.first().getAttribute("data-id");
    await plain.getByRole("link", { name: "Next" }).click();
    await expect(rows).toHaveCount(50);
    expect(await rows.first().getAttribute("data-id")).not.toBe(first);
    await plain.getByRole("navigation", { name: "Filters" }).getByRole("link", { name: /Not active/ }).click();
    await expect(rows.first().locator(".badge")).toHaveText("NOT ACTIVE");
    await context.close();
  });
});
