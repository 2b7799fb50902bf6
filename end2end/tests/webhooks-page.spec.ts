// The Webhooks page, as an owner uses it: made, tried, looked at, given another secret, removed.
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { expectNothingFound } from "../fixtures/accessible.ts";
import { expect, signIn, test } from "../fixtures/test.ts";

/** An endpoint that keeps what it gets, and answers as told. */
async function endpoint() {
  const received: { headers: Record<string, string>; body: string }[] = [];
  const state = { status: 204 };
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk)).on("end", () => {
      received.push({ headers: request.headers as Record<string, string>, body });
      response.writeHead(state.status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received, state, stop: () => server.close() };
}

test("an owner makes a webhook, sees what was sent, and gives it another secret", async ({ page, patchbay, rest, troubles }) => {
  // The address that is refused.
  troubles.allow(/400/);
  const hook = await endpoint();
  await signIn(page, patchbay);
  await page.goto(`${patchbay.url}/settings/webhooks?env=development`);
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("Address").fill("ftp://example.com");
  await page.getByRole("button", { name: "Make webhook" }).click();
  await expect(page.locator("#webhook-url-problem")).toContainText("https");
  await page.getByLabel("Address").fill(hook.url);
  await page.getByRole("button", { name: "Make webhook" }).click();
  const secret = await page.getByRole("textbox", { name: "Signing secret" }).inputValue();
  expect(secret).toMatch(/^whsec_/);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.reload();
  await expect(page.getByRole("list", { name: "Webhooks" })).toContainText(hook.url);
  expect(await page.content()).not.toContain("whsec_");

  await rest.create({ name: "Alerts" });
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(() => expect(hook.received.length).toBe(2)).toPass({ timeout: 15_000 });
  for (const { headers, body } of hook.received) new Webhook(secret).verify(body, headers);
  await page.getByRole("button", { name: "Deliveries", exact: true }).click();
  await page.getByRole("button", { name: "Refresh" }).click();
  const deliveries = page.getByRole("list", { name: "Deliveries" });
  await expect(deliveries).toContainText("connection.created");
  await expect(deliveries.getByText("Delivered")).toHaveCount(2);
  await expectNothingFound(page);

  await page.getByRole("button", { name: "New secret" }).click();
  const next = await page.getByRole("textbox", { name: "Signing secret" }).inputValue();
  expect(next).not.toBe(secret);
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("button", { name: "Deliveries", exact: true }).click();
  await deliveries.getByRole("button", { name: /Send evt_.* again/ }).first().click();
  await expect(() => expect(hook.received.length).toBe(3)).toPass({ timeout: 15_000 });
  const last = hook.received[2]!;
  for (const either of [secret, next]) new Webhook(either).verify(last.body, last.headers);

  hook.state.status = 410;
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(async () => {
    await page.reload();
    await expect(page.getByText("its endpoint says that it is gone")).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 15_000 });
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Remove webhook" }).click();
  await expect(page.getByText("There are no webhooks yet")).toBeVisible();
  hook.stop();
});

test("the page fits a phone", async ({ page, patchbay, rest }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  await rest.request("POST", "/webhooks", { url: "https://a-rather-long-name.of-a-platform.example/with/a/long/path/below" });
  await signIn(page, patchbay);
  await page.goto(`${patchbay.url}/settings/webhooks?env=development`);
  await expect(page.getByRole("list", { name: "Webhooks" })).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await expectNothingFound(page);
});
