// The pictures in docs/oauth.md, from the running product.
import { join } from "node:path";
import { consent, edit, expect, fillIn, pressConnect, test } from "../fixtures/oauth.ts";

const folder = join(import.meta.dirname, "../../docs");
test.use({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });

const picture = (name: string) => ({ path: join(folder, `oauth-${name}.png`), animations: "disabled" as const });

test("form, consent page and the question about another account", async ({ connections, provider, page }) => {
  const dialog = await fillIn(connections, provider, "Work mail");
  await page.screenshot(picture("form"));
  const popup = await pressConnect(page, dialog);
  await popup.getByRole("button", { name: /^Continue to/ }).waitFor();
  await popup.setViewportSize({ width: 1280, height: 800 });
  await popup.screenshot(picture("consent"));
  await consent(popup, "alice@example.com");
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await edit(connections, "Work mail");
  await consent(await pressConnect(page, dialog), "bob@example.com");
  await expect(dialog.getByRole("heading", { name: "This is another account" })).toBeVisible({ timeout: 15_000 });
  await page.screenshot(picture("another-account"));
});

test("an own client", async ({ connections, page }) => {
  const dialog = await connections.begin("Gmail");
  await dialog.getByRole("heading", { name: "Set up an OAuth client" }).scrollIntoViewIfNeeded();
  await page.screenshot(picture("client"));
});
