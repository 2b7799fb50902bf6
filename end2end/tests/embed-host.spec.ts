// The sample platform and the three examples, as an engineer would try them.
import { expectNothingFound } from "../fixtures/accessible.ts";
import { expect, test } from "../fixtures/embedded.ts";

for (const scheme of ["light", "dark"] as const) {
  test(`the sample platform shows Patchbay as a part of it, ${scheme}`, async ({ orbit, page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`${orbit.url}/`);
    await expect(page.getByRole("heading", { name: "Nightly order sync" })).toBeVisible();
    await expectNothingFound(page);
    await page.getByRole("link", { name: "Connections", exact: true }).click();
    await expect(page.frameLocator("iframe").getByRole("heading", { name: "Connections", level: 1 })).toBeVisible({ timeout: 15_000 });
    await expectNothingFound(page);
  });
}

test("a step of a workflow gets a connection that is created on the way", async ({ orbit, page, api }) => {
  api.accept("right-token");
  await page.goto(`${orbit.url}/`);
  await page.getByRole("button", { name: "Choose a connection for Price them" }).click();
  const picker = page.frameLocator("dialog iframe");
  await picker.getByRole("button", { name: /New|Create/ }).first().click();
  await picker.getByRole("tab", { name: "Bearer token" }).click();
  for (const [label, value] of Object.entries({ "Base URL": api.bearerUrl, Token: "right-token", "Test path": "/me", Name: "Rates" })) {
    await picker.getByLabel(new RegExp(`^${label}(\\s|$)`)).locator("visible=true").first().fill(value);
  }
  await picker.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("HTTP API: Rates")).toBeVisible({ timeout: 15_000 });
  expect(orbit.flows[0]!.steps[2]).toHaveProperty("connection.name", "Rates");
});

for (const name of ["plain-html", "react", "vue"]) {
  test(`the example in ${name} mounts and picks`, async ({ orbit, page, api }) => {
    api.accept("right-token");
    await page.goto(`${orbit.url}/examples/${name}/`);
    await expect(page.frameLocator("iframe").first().getByRole("heading", { name: "Connections", level: 1 })).toBeVisible({ timeout: 15_000 });
    await page.getByRole("button", { name: "Choose a connection" }).click();
    const picker = page.frameLocator("dialog iframe");
    await picker.getByRole("button", { name: /New|Create/ }).first().click();
    await picker.getByLabel("Search components").fill("HTTP API");
    await picker.locator("button.component-choice").first().click();
    await picker.getByRole("tab", { name: "Bearer token" }).click();
    for (const [label, value] of Object.entries({ "Base URL": api.bearerUrl, Token: "right-token", "Test path": "/me", Name: "From an example" })) {
      await picker.getByLabel(new RegExp(`^${label}(\\s|$)`)).locator("visible=true").first().fill(value);
    }
    await picker.getByRole("button", { name: "Save", exact: true }).click();
    await expect(page.getByRole("status").or(page.locator("output"))).toHaveText("From an example", { timeout: 15_000 });
  });
}
