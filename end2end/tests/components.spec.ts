// Components that a workspace describes itself: by form or JSON, tried, connected with, changed, removed.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/test.ts";
import type { Rest } from "../fixtures/rest.ts";

const TOKEN = "canary-acme-token";

async function open(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/settings/components`);
  await page.getByRole("heading", { level: 2, name: "Components" }).waitFor();
}

/** Fills the guided form in with a component whose connections give their own address. */
async function describe(page: Page, slug: string, name: string): Promise<void> {
  await page.getByRole("button", { name: "New component" }).click();
  await page.getByLabel("Slug").fill(slug);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Documentation").fill("https://docs.acme.example");
  await page.getByLabel("Each connection gives its own address").check();
  await page.getByLabel("Where people find the secret").fill("Under Settings, Tokens.");
  await page.getByLabel("Account").fill("{/email}");
}

async function definitionOf(rest: Rest, slug: string): Promise<Record<string, any>> {
  const answer = await rest.request("GET", `/components/${slug}`);
  return ((await answer.json()) as { described: { definition: Record<string, any> } }).described.definition;
}

// What is looked at while it is typed may be half of something.
test.beforeEach(({ troubles }) => troubles.allow(/preview_component/));

test("an owner describes a component, tries it, and connects with it", async ({ connections, page, patchbay, api }) => {
  api.accept(TOKEN, "ada@acme.example");
  await open(page, patchbay.url);
  await describe(page, "acme", "Acme");
  const preview = page.getByRole("complementary", { name: "Preview" });
  await expect(preview).toContainText("Acme");
  await preview.getByLabel("Address").fill(api.bearerUrl);
  await preview.getByLabel("Token", { exact: true }).fill(TOKEN);
  await preview.getByRole("button", { name: "Try it" }).click();
  await expect(preview).toContainText("Acme works: signed in as ada@acme.example.");
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator(".own-components")).toContainText("acme · version 1");

  await connections.goTo("/?env=development");
  await connections.begin("Acme");
  await connections.fill({ Address: api.bearerUrl, Token: TOKEN, Name: "Ours" });
  await connections.save();
  await connections.saved();
  await expect(connections.badge("Ours")).toHaveText("ACTIVE");
});

test("what is wrong stands at its input, and in JSON with its place", async ({ connections, page, patchbay, troubles }) => {
  troubles.allow(/put_component/);
  void connections;
  await open(page, patchbay.url);
  await page.getByRole("button", { name: "New component" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Acme");
  await expect(page.locator("#component-slug-problem"), "nobody has got there yet").toBeEmpty();
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator("#component-slug-problem"), "now it is missing").not.toBeEmpty();
  await page.getByRole("button", { name: "Cancel" }).click();
  await describe(page, "acme", "Acme");
  await page.getByLabel("Test request").fill("me");
  await expect(page.locator("#component-path-problem")).toContainText("begin with /");
  await page.getByRole("button", { name: "JSON", exact: true }).click();
  const json = page.getByLabel("Definition");
  await json.fill((await json.inputValue()).replace('"path": "me"', '"path": "/me", "colour": 1'));
  await expect(page.getByRole("alert")).toContainText("/methods/0/service/probes/0/colour");
});

test("an update that sends nothing elsewhere keeps what is stored; one that does asks for the secret again", async ({ connections, page, patchbay, rest, api }) => {
  api.accept(TOKEN, "ada@acme.example");
  await open(page, patchbay.url);
  await describe(page, "acme", "Acme");
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator(".own-components")).toContainText("acme · version 1");
  const values = { url: api.bearerUrl, token: TOKEN };
  const ours = await rest.create({ name: "Ours", component: "acme", values, validate: true });
  expect(ours.status).toBe("active");

  await page.reload();
  await page.getByRole("button", { name: "Edit Acme" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Acme Two");
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator(".own-components")).toContainText("version 2");
  expect((await rest.get(ours.id)).status).toBe("active");

  const before = api.requests.length;
  const definition = await definitionOf(rest, "acme");
  definition.methods[0].service.probes[0].path = "/echo/{token}";
  const moved = await rest.request("PUT", "/components/acme", definition);
  expect(((await moved.json()) as { asks_again: boolean }).asks_again).toBe(true);
  await expect(async () => expect((await rest.get(ours.id)).status).toBe("not_active")).toPass({ timeout: 10_000 });
  expect(api.requests.slice(before), "nothing was sent").toEqual([]);
  await connections.goTo("/?env=development");
  await expect(connections.row("Ours")).toContainText("Missing: Token");
});

test("a drawing that carries a script is refused, and a plain one is shown", async ({ connections, page, patchbay, rest, troubles }) => {
  troubles.allow(/preview_component/);
  void connections;
  await open(page, patchbay.url);
  await describe(page, "acme", "Acme");
  const drawing = (inside: string) => ({
    name: "icon.svg",
    mimeType: "image/svg+xml",
    buffer: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">${inside}</svg>`),
  });
  await page.getByLabel("Icon").setInputFiles(drawing("<script>alert(1)</script>"));
  await expect(page.locator("#component-icon-problem")).toContainText("script");
  await page.getByLabel("Icon").setInputFiles(drawing('<path d="M0 0h9v9z"/>'));
  await expect(page.locator("#component-icon-problem")).toBeEmpty();
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator(".own-components")).toContainText("acme · version 1");
  expect((await definitionOf(rest, "acme")).icon).toMatch(/^data:image\/svg\+xml;base64,/);
});

test("a component in use is not removed, and says what uses it", async ({ connections, page, patchbay, rest, api, troubles }) => {
  void connections;
  troubles.allow(/409/);
  await open(page, patchbay.url);
  await describe(page, "acme", "Acme");
  await page.getByRole("button", { name: "Save component" }).click();
  await expect(page.locator(".own-components")).toContainText("acme · version 1");
  await rest.create({ name: "Ours", component: "acme", values: { url: api.bearerUrl, token: TOKEN } });
  await page.getByRole("button", { name: "Remove Acme" }).click();
  await expect(page.getByRole("button", { name: "Keep" }), "it asks once more").toBeFocused();
  await page.getByRole("button", { name: "Remove component" }).click();
  await expect(page.locator(".toasts")).toContainText("1 in development");
  await expect(page.getByRole("button", { name: "Remove Acme" }), "where one was").toBeFocused();
});

test("a component that nobody uses is removed, after one more question", async ({ connections, page, patchbay }) => {
  void connections;
  await open(page, patchbay.url);
  await expect(page).toHaveTitle("Components · Patchbay");
  await describe(page, "acme", "Acme");
  await page.getByRole("button", { name: "Save component" }).click();
  const own = page.locator(".own-components");
  await expect(own).toContainText("acme · version 1");
  await page.getByRole("button", { name: "Remove Acme" }).click();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Remove Acme" }), "Keep has the focus").toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove component" }).click();
  await expect(page.locator(".toasts")).toContainText("The component was removed.");
  await expect(own).toHaveCount(0);
  await expect(page.getByRole("button", { name: "New component" })).toBeFocused();
});
