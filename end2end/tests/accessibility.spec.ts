// axe finds nothing, in any state, in either theme.
import type { Page } from "@playwright/test";
import { expectNothingFound } from "../fixtures/accessible.ts";
import type { ConnectionsPage } from "../fixtures/connections-page.ts";
import { httpConnection, type Rest } from "../fixtures/rest.ts";
import { expect, test, type HttpApi } from "../fixtures/test.ts";

type Scene = { connections: ConnectionsPage; page: Page; rest: Rest; api: HttpApi; troubles: { allow: (pattern: RegExp) => void } };

async function some({ connections, rest, api }: Scene): Promise<void> {
  api.accept("right-token");
  const { id } = await rest.create(httpConnection("Orders", api.bearerUrl, "right-token", { tags: ["eu", "billing"] }));
  await rest.create({ name: "Alerts", tags: ["ops"] });
  await rest.registerWorkflow("wf-1", "Nightly orders", [id]);
  await connections.goTo("/?env=development");
}

/** Two workflows use *Alerts*, and another connection could replace it. */
async function replaceable(scene: Scene): Promise<void> {
  const { id } = await scene.rest.create({ name: "Alerts" });
  await scene.rest.create({ name: "Alerts of the new team" });
  await scene.rest.registerWorkflow("wf-1", "Nightly orders", [id]);
  await scene.rest.registerWorkflow("wf-2", "Escalations", [id]);
  await scene.connections.goTo("/?env=development");
}

const states: Record<string, (scene: Scene) => Promise<void>> = {
  "no connection at all": async ({ connections }) => connections.goTo("/?env=development"),
  "the list": some,
  "no match": async (scene) => {
    await some(scene);
    await scene.connections.search.fill("nothing like it");
    await expect(scene.page.getByRole("heading", { name: /No connection matches/ })).toBeVisible();
  },
  "another environment without connections": async (scene) => {
    await some(scene);
    await scene.connections.switchTo("Production");
  },
  "the picker": async ({ connections }) => {
    await connections.newConnection.click();
    await expect(connections.dialog.locator("button.component-choice").first()).toBeVisible();
  },
  "the form": async ({ connections }) => void (await connections.begin("PostgreSQL")),
  "the form with tags and several methods": async ({ connections }) => {
    await connections.begin("HTTP API");
    await connections.addTags("one", "two");
  },
  "the form with problems": async ({ connections }) => {
    await connections.begin("PostgreSQL");
    await connections.save();
    await expect(connections.dialog.locator(".problem").filter({ visible: true }).first()).toBeVisible();
  },
  "the form after a failed check": async ({ connections, api }) => {
    await connections.begin("HTTP API", "Bearer token");
    await connections.fill({ "Base URL": api.bearerUrl, Token: "wrong", "Test path": "/me", Name: "Orders" });
    await connections.save();
    await expect(connections.dialog.locator(".verdict")).toBeVisible();
  },
  "the question before a dirty form closes": async ({ connections }) => {
    await connections.begin("PostgreSQL");
    await connections.fill({ Host: "db.acme.example" });
    await connections.button("Cancel").click();
    await expect(connections.button("Keep editing")).toBeVisible();
  },
  "an open row menu": async (scene) => {
    await some(scene);
    await scene.connections.row("Alerts").getByRole("button", { name: "Actions for Alerts" }).click();
    await expect(scene.page.getByRole("menu")).toBeVisible();
  },
  "the tag editor of a row": async (scene) => {
    await some(scene);
    await scene.connections.row("Alerts").getByRole("button", { name: "Edit tags of Alerts" }).click();
  },
  "the account menu": async ({ page }) => {
    await page.getByRole("button", { name: "Account" }).click();
    await expect(page.getByText("Sign out everywhere")).toBeVisible();
  },
  "the detail": async (scene) => {
    await some(scene);
    await scene.connections.act("Orders", "Open");
    await expect(scene.connections.detail("Orders").getByRole("button", { name: "Test now" })).toBeVisible();
  },
  "the form of an existing connection": async (scene) => {
    await some(scene);
    await scene.connections.act("Orders", "Edit");
    await expect(scene.connections.button("Replace Token")).toBeVisible();
  },
  "the choice of replacements before deletion": async (scene) => {
    await replaceable(scene);
    await scene.connections.act("Alerts", "Delete");
    await expect(scene.connections.dialog.getByLabel("Use instead, for all 2")).toBeVisible();
  },
  "Replace everywhere at 390 pixels": async (scene) => {
    await scene.page.setViewportSize({ width: 390, height: 844 });
    await replaceable(scene);
    await scene.connections.act("Alerts", "Open");
    await scene.connections.detail("Alerts").getByRole("button", { name: "Replace everywhere" }).click();
    await expect(scene.connections.dialog.getByLabel("Use instead, for all 2")).toBeVisible();
  },
  "the question before deletion": async (scene) => {
    await some(scene);
    await scene.connections.act("Orders", "Delete");
    await expect(scene.connections.dialog).toContainText("Nightly orders");
  },
  "a toast": async (scene) => {
    await some(scene);
    await scene.connections.act("Alerts", "Delete");
    await scene.connections.button("Delete").click();
    await expect(scene.connections.toasts).toContainText("Alerts deleted");
  },
  "what was deleted": async (scene) => {
    await some(scene);
    await scene.rest.delete((await scene.rest.list())[0].id);
    await scene.connections.goTo("/deleted?env=development");
    await expect(scene.page.getByRole("heading", { name: "Recently deleted" })).toBeVisible();
  },
  "the API keys": async (scene) => {
    await scene.rest.list();
    await scene.connections.goTo("/?env=development");
    await scene.page.goto(scene.page.url().replace("/?", "/settings/keys?"));
    await expect(scene.page.getByRole("listitem").filter({ hasText: "Last used" }).first()).toBeVisible();
  },
  "the form of a key with problems, at 390 pixels": async (scene) => {
    // It is sent empty.
    scene.troubles.allow(/400/);
    await scene.page.setViewportSize({ width: 390, height: 844 });
    await scene.page.goto(scene.page.url().replace("/?", "/settings/keys?"));
    await scene.page.getByRole("button", { name: "New key" }).click();
    await scene.page.getByRole("button", { name: "Make key" }).click();
    await expect(scene.page.getByText("Choose where it is valid.")).toBeVisible();
  },
  "a key that was made": async (scene) => {
    await scene.page.goto(scene.page.url().replace("/?", "/settings/keys?"));
    await scene.page.getByRole("button", { name: "New key" }).click();
    await scene.page.getByLabel("Name").fill("ci");
    await scene.page.getByLabel(/^Read/).check();
    await scene.page.getByLabel("Development").check();
    await scene.page.getByRole("button", { name: "Make key" }).click();
    await expect(scene.page.getByLabel("Key", { exact: true })).toBeVisible();
  },
  "the question before a key is revoked": async (scene) => {
    await scene.rest.list();
    await scene.page.goto(scene.page.url().replace("/?", "/settings/keys?"));
    await scene.page.getByRole("button", { name: "Revoke" }).first().click();
    await expect(scene.page.getByRole("button", { name: "Keep" })).toBeVisible();
  },
  "the list of shortcuts": async ({ connections, page }) => {
    await page.keyboard.press("?");
    await expect(connections.dialog.getByRole("heading", { name: "Keyboard shortcuts" })).toBeVisible();
  },
  "the drawer at 390 pixels": async (scene) => {
    await scene.page.setViewportSize({ width: 390, height: 844 });
    await some(scene);
    await scene.page.getByRole("button", { name: "Filters" }).click();
    await expect(scene.connections.filter("All Components")).toBeVisible();
  },
  "the list at 320 pixels": async (scene) => {
    await scene.page.setViewportSize({ width: 320, height: 640 });
    await some(scene);
    const overflow = await scene.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, "pixels that stand out of a narrow page").toBeLessThanOrEqual(0);
  },
};

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });
    for (const [state, reach] of Object.entries(states)) {
      test(`axe finds nothing: ${state}, ${theme}`, async ({ connections, page, rest, api, troubles }) => {
        await reach({ connections, page, rest, api, troubles });
        await expectNothingFound(page);
      });
    }

    test(`axe finds nothing: signing in, ${theme}`, async ({ page, patchbay }) => {
      await page.goto(`${patchbay.url}/sign-in`);
      await expectNothingFound(page);
      await page.goto("about:blank");
      await page.goto(await patchbay.signInLink());
      await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
      await expectNothingFound(page);
    });
  });
}
