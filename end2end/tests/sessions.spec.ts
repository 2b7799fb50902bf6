// Who may come in, and that a session ends when it is told to.
import { expect, signIn, test } from "../fixtures/test.ts";

test("a one-time link works once, and looking at it changes nothing", async ({ page, patchbay, browser, troubles }) => {
  troubles.allow(/status of 4\d\d/);
  const link = await patchbay.signInLink();
  await page.goto(link);
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
  const other = await browser.newPage();
  await other.goto(link);
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(other.getByRole("alert")).toHaveText(/\S/);
  await other.goto(patchbay.url);
  await expect(other).toHaveURL(/\/sign-in/);
  await other.close();
});

test("a link that is used up offers no other try, and another one put into the same tab does", async ({ page, patchbay, troubles }) => {
  troubles.allow(/status of 4\d\d/);
  await page.goto(`${patchbay.url}/sign-in#used-up`);
  const button = page.getByRole("button", { name: "Sign in" });
  await button.click();
  await expect(page.getByRole("alert")).toContainText("used already");
  await expect(button).toBeHidden();
  await page.goto(await patchbay.signInLink());
  await expect(page.getByRole("alert")).toBeHidden();
  await button.click();
  await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
});

test("after signing out the same cookie opens nothing", async ({ page, patchbay, request }) => {
  await signIn(page, patchbay);
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const status = async () => (await request.get(`${patchbay.url}/rpc/snapshot?env=development`, { headers: { cookie } })).status();
  expect(await status()).not.toBe(401);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByText("Sign out", { exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  expect(await status()).toBe(401);
});

test("a request from another site changes nothing", async ({ page, patchbay, rest }) => {
  await signIn(page, patchbay);
  await rest.create({ name: "Alerts" });
  const [{ id }] = await rest.list();
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  for (const origin of [{ "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }, {}]) {
    const answer = await fetch(`${patchbay.url}/rpc/delete`, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", ...(origin as Record<string, string>) },
      body: JSON.stringify({ environment: "development", id }),
    });
    expect(answer.status).toBe(403);
  }
  expect(await rest.list()).toHaveLength(1);
});
