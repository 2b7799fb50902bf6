// Checks that Patchbay makes by itself: badges that turn without a reload, patience with a service in trouble.
import { setTimeout as sleep } from "node:timers/promises";
import { startHttpApi } from "../servers/http-api.mjs";
import { steeredClock } from "../servers/clock.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { ConnectionsPage } from "../fixtures/connections-page.ts";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest, httpConnection } from "../fixtures/rest.ts";
import { expect, signIn, test as base } from "../fixtures/test.ts";

type Check = { at: string; outcome: string; message: string };

/** A server whose clock the test steers, and its page of Production. */
const test = base.extend<{ clock: ReturnType<typeof steeredClock>; production: ConnectionsPage }>({
  clock: async ({}, use) => {
    const clock = steeredClock();
    await use(clock);
    clock.remove();
  },
  patchbay: async ({ clock, troubles }, use) => {
    const patchbay = await Patchbay.start({ environment: clock.environment });
    await use(patchbay);
    troubles.ignoreTheRest();
    await patchbay.stop();
  },
  production: async ({ page, patchbay }, use) => {
    await signIn(page, patchbay);
    const connections = new ConnectionsPage(page, patchbay.url);
    await connections.goTo("/?env=production");
    await use(connections);
  },
});

/** The outcomes of the checks so far, the oldest first, once there are so many. */
async function outcomes(rest: Rest, id: string, count: number): Promise<string[]> {
  let checks: Check[] = [];
  await expect(async () => {
    checks = (await rest.get(id)).checks as Check[];
    expect(checks.length).toBe(count);
  }).toPass({ timeout: 20_000 });
  return checks.map((check) => check.outcome).reverse();
}

test("a badge turns by itself when the password is changed at the server, and back", async ({ clock, production, rest, page }) => {
  test.setTimeout(90_000);
  const server = await startPostgresql();
  const { id } = await rest.create({
    name: "Orders", component: "postgresql", method: "password", environment: "production", validate: true,
    values: { host: server.host, port: String(server.port), database: "orders", user: server.user, password: server.password, tls: "off" },
  });
  const badge = production.badge("Orders");
  // It was created elsewhere, and yet the page shows it: no reload, no click.
  await expect(badge).toHaveText("ACTIVE", { timeout: 10_000 });
  const loads = page.waitForEvent("load", { timeout: 60_000 }).then(() => "reloaded", () => "stayed");

  await server.sql(`ALTER ROLE ${server.user} PASSWORD 'changed-behind-our-back'`);
  clock.ahead(4.5 * 60);
  await expect(badge).toHaveText("NOT ACTIVE", { timeout: 20_000 });
  await expect(production.row("Orders").locator(".why")).toContainText(/refused|password/i);

  await server.sql(`ALTER ROLE ${server.user} PASSWORD '${server.password}'`);
  clock.ahead(6 * 60);
  await expect(badge).toHaveText("ACTIVE", { timeout: 20_000 });
  expect(await outcomes(rest, id, 3)).toEqual(["accepted", "refused", "accepted"]);

  await production.act("Orders", "Open");
  await expect(production.detail("Orders").locator("ol.timeline > li")).toHaveCount(3);
  await server.stop();
  expect(await Promise.race([loads, Promise.resolve("stayed")])).toBe("stayed");
});

test("a stopped service turns nothing at first, and NOT ACTIVE only after three failures over half an hour", async ({ clock, production, rest }) => {
  test.setTimeout(120_000);
  const api = await startHttpApi();
  api.accept("right-token");
  const connection = httpConnection("Billing", api.bearerUrl, "right-token", { environment: "production", validate: true });
  const { id } = await rest.create(connection);
  const badge = production.badge("Billing");
  await expect(badge).toHaveText("ACTIVE", { timeout: 10_000 });
  await api.stop();

  // Each step is past the longest wait that the schedule has in store for it.
  for (const [checks, minutes] of [[2, 270], [3, 276], [4, 288]] as const) {
    clock.ahead(minutes);
    await outcomes(rest, id, checks);
    await expect(badge).toHaveText("ACTIVE");
  }
  await expect(production.row("Billing").locator(".why")).toContainText("Could not be checked for");
  clock.ahead(312);
  expect(await outcomes(rest, id, 5)).toEqual(["accepted", "unanswered", "unanswered", "unanswered", "unanswered"]);
  await expect(badge).toHaveText("NOT ACTIVE", { timeout: 10_000 });
});

test("a service that says when it may be asked again is left alone until then", async ({ clock, production, rest }) => {
  test.setTimeout(90_000);
  const api = await startHttpApi();
  api.accept("right-token");
  const { id } = await rest.create(httpConnection("Billing", api.bearerUrl, "right-token", { environment: "production", validate: true }));
  api.behave({ busyFor: 3 * 60 * 60 });
  clock.ahead(270);
  expect(await outcomes(rest, id, 2)).toEqual(["accepted", "unanswered"]);
  await expect(production.badge("Billing")).toHaveText("ACTIVE");

  // Without its word it would be asked again after five minutes.
  api.behave("well");
  const asked = api.requests.length;
  for (const minutes of [280, 360, 440]) {
    clock.ahead(minutes);
    await sleep(2_500);
    expect(api.requests.length).toBe(asked);
  }
  clock.ahead(270 + 3 * 60 + 2);
  expect(await outcomes(rest, id, 3)).toEqual(["accepted", "unanswered", "accepted"]);
  await api.stop();
});

test("Check all shown asks every service that matches the filter, tells how far it is, and can be stopped", async ({ production, rest, page }) => {
  test.setTimeout(90_000);
  const api = await startHttpApi();
  api.accept("right-token");
  for (const name of ["One", "Two", "Three", "Four", "Five"]) {
    await rest.create(httpConnection(name, api.bearerUrl, name === "Two" ? "wrong-token" : "right-token", { environment: "production", validate: false }));
  }
  await expect(production.rows).toHaveCount(5, { timeout: 10_000 });
  await page.getByRole("button", { name: "Check all shown" }).click();
  await expect(production.toasts).toContainText("5 checked, 4 accepted.", { timeout: 20_000 });
  await expect(production.badge("Two")).toHaveText("NOT ACTIVE");
  for (const name of ["One", "Three", "Four", "Five"]) await expect(production.badge(name)).toHaveText("ACTIVE");

  // By the keyboard: what starts it also stops it, and keeps the focus.
  api.behave("hang");
  const button = page.getByRole("button", { name: /^(Check all shown|Stop)$/ });
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(button).toHaveText("Stop");
  await expect(button).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(production.toasts).toContainText("then stopped.");
  await expect(button).toHaveText("Check all shown");
  await expect(button).toBeFocused();
  await api.stop();
});
