// The whole path by keyboard alone: the mouse is never used.
import type { Locator } from "@playwright/test";
import { httpConnection } from "../fixtures/rest.ts";
import { expect, test } from "../fixtures/test.ts";

test("S4 S5 S8 S15 create, filter, edit and delete by keyboard alone", async ({ connections, page, api }) => {
  api.accept("right-token");
  const keys = page.keyboard;
  await keys.press("n");
  await expect(connections.dialog.getByLabel("Search components")).toBeFocused();
  await keys.type("HTTP API");
  await keys.press("Enter");
  await expect(connections.dialog.getByRole("heading", { name: "New HTTP API connection" })).toBeVisible();

  const tabUntilFocused = async (target: Locator) => {
    for (let presses = 0; presses < 30; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await keys.press("Tab");
    }
    throw new Error(`${target} cannot be reached by Tab`);
  };
  const tabTo = (label: string) => tabUntilFocused(connections.field(label));
  const tabToButton = (name: string) => tabUntilFocused(connections.button(name));
  for (const [label, text] of [["Base URL", api.bearerUrl], ["Token", "right-token"], ["Test path", "/me"], ["Name", "Typed"], ["Tags", "eu"]] as const) {
    await tabTo(label);
    if (label === "Name") await keys.press("Control+A");
    await keys.type(text);
  }
  await keys.press("Enter");
  await expect(connections.dialog.getByRole("button", { name: "Remove tag eu" })).toBeVisible();
  await tabToButton("Save");
  await keys.press("Enter");
  await connections.saved();
  await expect(connections.badge("Typed")).toHaveText("ACTIVE");

  await keys.press("/");
  await expect(connections.search).toBeFocused();
  await keys.type("nothing like it");
  await expect(page.getByRole("heading", { name: /No connection matches/ })).toBeVisible();
  await keys.press("Control+A");
  await keys.type("typ");
  await connections.expectNames("Typed");
  await keys.press("Escape");

  await connections.search.evaluate((element: HTMLElement) => element.blur());
  await keys.press("j");
  await expect(connections.rows.first()).toBeFocused();
  await keys.press("e");
  await expect(connections.dialog.getByRole("heading", { name: "Edit Typed" })).toBeVisible();
  await keys.press("Escape");
  await expect(connections.dialog).toBeHidden();
  await expect(connections.rows.first(), "focus returns to where it came from").toBeFocused();

  await keys.press("Enter");
  await expect(connections.detail("Typed")).toBeVisible();
  await keys.press("Escape");
  await expect(connections.detail("Typed")).toBeHidden();

  await connections.rows.first().focus();
  await keys.press("Delete");
  await expect(connections.dialog.getByRole("heading", { name: "Delete Typed?" })).toBeVisible();
  await tabToButton("Delete");
  await keys.press("Enter");
  await expect(connections.rows).toHaveCount(0);
  await expect(connections.toasts).toContainText("Typed deleted");
});

test("shortcuts keep still while a person types, holds Control or has a dialog open", async ({ connections, rest, page, api }) => {
  api.accept("t");
  await rest.create(httpConnection("Orders", api.bearerUrl, "t"));
  await connections.goTo("/?env=development");
  await connections.search.focus();
  await page.keyboard.type("n?e");
  await expect(connections.dialog).toBeHidden();
  await expect(connections.search).toHaveValue("n?e");
  await connections.search.fill("");
  await connections.search.blur();
  await page.keyboard.press("?");
  await expect(connections.dialog.getByRole("heading", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("n");
  await expect(connections.dialog).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(connections.dialog).toBeHidden();
});

test("the menu of a row opens, moves and closes by keys, and gives focus back", async ({ connections, rest, page }) => {
  await rest.create({ name: "Alerts" });
  await connections.goTo("/?env=development");
  const button = connections.row("Alerts").getByRole("button", { name: "Actions for Alerts" });
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Open" })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: "Test now" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("menu")).toBeHidden();
  await expect(button).toBeFocused();
});

test("Escape closes an untouched form, quietly, with the focus in a field", async ({ connections, page }) => {
  const dialog = await connections.begin("PostgreSQL");
  await expect(connections.field("Host")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(connections.newConnection).toBeFocused();
  await connections.newConnection.click();
  await expect(connections.dialog.getByLabel("Search components")).toBeFocused();
});
