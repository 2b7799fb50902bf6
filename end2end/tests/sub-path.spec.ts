// Below a path of a public URL everything works as it does at the root.
import { httpConnection } from "../fixtures/rest.ts";
import { expect, test } from "../fixtures/test.ts";

test.use({ settings: { base: "/patchbay" } });

test("S16 the whole product lives below a path", async ({ connections, rest, page, patchbay, api }) => {
  const outside: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (request.url().startsWith(`http://127.0.0.1:${patchbay.port}`) && !pathname.startsWith("/patchbay")) outside.push(pathname);
  });
  api.accept("right-token");
  await rest.create(httpConnection("Orders", api.bearerUrl, "right-token", { tags: ["eu"] }));
  await connections.goTo("/?env=development");
  await connections.filter("eu").click();
  await connections.expectNames("Orders");
  expect(new URL(page.url()).pathname).toMatch(/^\/patchbay\/?$/);
  await connections.begin("HTTP API", "Bearer token");
  await connections.fill({ "Base URL": api.bearerUrl, Token: "right-token", "Test path": "/me", Name: "Second" });
  await connections.save();
  await connections.saved();
  await page.getByRole("link", { name: "Clear filters" }).first().click();
  await connections.expectNames("Orders", "Second");
  await connections.act("Orders", "Open");
  await expect(page).toHaveURL(/\/patchbay\/connections\/con_/);
  await connections.loaded(() => page.reload());
  await expect(connections.detail("Orders")).toBeVisible();
  await connections.switchTo("Staging");
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByText("Sign out", { exact: true }).click();
  await expect(page).toHaveURL(/\/patchbay\/sign-in/);
  expect(outside).toEqual([]);
});
