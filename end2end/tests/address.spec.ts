// State lives in the address: reload, back and sharing keep it.
import { expect, test } from "../fixtures/test.ts";

test.beforeEach(async ({ connections, rest }) => {
  await rest.create({ name: "Alerts", tags: ["ops"] });
  await rest.create({ name: "Releases", tags: ["ops", "ci"] });
  await rest.create({ name: "Notes", tags: ["docs"] });
  await connections.goTo("/?env=development");
});

test("S11 S15 a filter survives reload and goes with back", async ({ connections, page }) => {
  await connections.filter("ops").click();
  await connections.search.fill("rel");
  await connections.expectNames("Releases");
  const inForce = () => Object.fromEntries(new URL(page.url()).searchParams);
  await expect.poll(inForce).toMatchObject({ env: "development", tag: "ops", q: "rel" });
  await connections.loaded(() => page.reload());
  await connections.expectNames("Releases");
  await expect(connections.search).toHaveValue("rel");
  await expect(connections.filter("ops")).toHaveAttribute("aria-current", "true");
  await page.goBack();
  await connections.expectNames("Alerts", "Releases", "Notes");
  await page.goForward();
  await connections.expectNames("Releases");
});

test("S15 the server renders what the address says, before any script runs", async ({ connections, page }) => {
  const html = await (await page.request.get(`${connections.url}/?env=development&tag=docs`)).text();
  expect(html).toContain("Notes");
  expect(html).not.toContain("Releases");
});

test("S12 an address without an environment leads to the one last looked at", async ({ connections, page }) => {
  await connections.switchTo("Staging");
  await connections.goTo("/");
  expect(new URL(page.url()).searchParams.get("env")).toBe("staging");
});

test("S15 sorting changes the order and stays in the address", async ({ connections, page }) => {
  const sort = page.getByRole("combobox", { name: "Sort" });
  await sort.selectOption({ label: "name" });
  await expect.poll(() => connections.names()).toEqual(["Alerts", "Notes", "Releases"]);
  await connections.loaded(() => page.reload());
  expect(await connections.names()).toEqual(["Alerts", "Notes", "Releases"]);
});

test("a connection has an address of its own, opened beside the list", async ({ connections, page }) => {
  await connections.act("Alerts", "Open");
  await expect(page).toHaveURL(/\/connections\/con_/);
  await connections.loaded(() => page.reload());
  await expect(connections.detail("Alerts")).toBeVisible();
  await expect(connections.row("Releases")).toBeVisible();
  await connections.detail("Alerts").getByRole("button", { name: "Close" }).or(connections.detail("Alerts").getByRole("link", { name: "Close" })).click();
  await expect(connections.detail("Alerts")).toBeHidden();
  await expect(page).not.toHaveURL(/\/connections\//);
});

test("the theme chosen is there on the next first paint", async ({ connections, page }) => {
  const button = page.getByRole("button", { name: /^Theme:/ });
  while (!/dark/.test((await button.getAttribute("aria-label")) ?? (await button.textContent()) ?? "")) await button.click();
  const html = await (await page.request.get(`${connections.url}/?env=development`)).text();
  expect(html).toMatch(/<html[^>]*data-theme="dark"/);
});
