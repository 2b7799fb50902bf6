// The pictures in docs/embedding.md: the sample platform, with Patchbay in it.
import { join } from "node:path";
import { expect, test } from "../fixtures/embedded.ts";

const folder = join(import.meta.dirname, "../../docs");
test.use({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });

const picture = (name: string) => ({ path: join(folder, `embedding-${name}.png`), animations: "disabled" as const });

test("the page, the picker and reconnecting", async ({ orbit, page, api }) => {
  api.accept("right-token");
  await page.goto(`${orbit.url}/`);
  await page.getByRole("button", { name: "Choose a connection for Price them" }).click();
  const dialog = page.frameLocator("dialog iframe");
  await dialog.getByRole("button", { name: /New|Create/ }).first().click();
  await dialog.getByRole("tab", { name: "Bearer token" }).click();
  for (const [label, value] of Object.entries({ "Base URL": api.bearerUrl, Token: "right-token", "Test path": "/me", Name: "Rates" })) {
    await dialog.getByLabel(new RegExp(`^${label}(\\s|$)`)).locator("visible=true").first().fill(value);
  }
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("HTTP API: Rates")).toBeVisible({ timeout: 15_000 });
  await page.getByRole("button", { name: "Change the connection of Price them" }).click();
  await expect(dialog.getByText("Rates", { exact: true }).first()).toBeVisible();
  await page.screenshot(picture("picker"));
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "Connections", exact: true }).click();
  const frame = page.frameLocator("iframe");
  await expect(frame.getByRole("row", { name: /Rates/ })).toContainText("ACTIVE", { timeout: 15_000 });
  await page.screenshot(picture("page"));
  api.refuse("right-token");
  await frame.getByRole("button", { name: "Actions for Rates" }).click();
  await frame.getByRole("menuitem", { name: "Test now" }).click();
  await expect(frame.getByRole("row", { name: /Rates/ })).toContainText("NOT ACTIVE", { timeout: 15_000 });
  await page.getByRole("link", { name: "Nightly order sync" }).click();
  await page.getByRole("button", { name: "Reconnect" }).click();
  await expect(dialog.getByRole("button", { name: "Replace Token" })).toBeVisible({ timeout: 15_000 });
  await page.screenshot(picture("reconnect"));
});
