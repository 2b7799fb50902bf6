// Connections to services that really run on this machine: proven, refused, kept as not active, mended, out of reach.
import { startHttpApi } from "../servers/http-api.mjs";
import { startMariadb } from "../servers/mariadb.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { startRedis } from "../servers/redis.mjs";
import { startS3 } from "../servers/s3.mjs";
import { startSmtp } from "../servers/smtp.mjs";
import { expect, test } from "../fixtures/test.ts";

type Service = {
  component: string;
  method?: string;
  start: () => Promise<Running>;
};

type Running = {
  /** What a person types, but for the secret. */
  values: Record<string, string>;
  /** Label of the secret's field. */
  secretField: string;
  right: string;
  wrong: string;
  /** The field that carries the reason when the secret is wrong. */
  blamed: string;
  /** What the service calls the account; unset where it does not say. */
  account?: RegExp;
  stop: () => Promise<void>;
};

type Login = { host: string; port: number; user: string; password: string; stop: () => Promise<void> };

function login(server: Login, more: Record<string, string>, account?: RegExp): Running {
  return {
    values: { Host: server.host, Port: String(server.port), User: server.user, ...more },
    secretField: "Password",
    right: server.password,
    wrong: "not-the-password",
    blamed: "Password",
    account,
    stop: server.stop,
  };
}

const services: Service[] = [
  { component: "PostgreSQL", start: async () => login(await startPostgresql(), { Database: "orders" }, /reporting/) },
  { component: "MySQL", start: async () => login(await startMariadb(), { Database: "orders" }, /reporting/) },
  { component: "Redis", start: async () => login(await startRedis(), {}, /reporting/) },
  {
    component: "SMTP",
    start: async () => {
      const server = await startSmtp();
      return login(server, { "Certificate authority": server.ca });
    },
  },
  {
    component: "S3-compatible store",
    start: async () => {
      const server = await startS3();
      return {
        values: { Endpoint: server.endpoint, "Access key ID": server.accessKeyId, Bucket: server.bucket },
        secretField: "Secret access key",
        right: server.secretAccessKey,
        wrong: "x".repeat(40),
        blamed: "Secret access key",
        stop: server.stop,
      };
    },
  },
  {
    component: "HTTP API",
    method: "Bearer token",
    start: async () => {
      const server = await startHttpApi();
      server.accept("right-token");
      return {
        values: { "Base URL": server.bearerUrl, "Test path": "/me" },
        secretField: "Token",
        right: "right-token",
        wrong: "wrong-token",
        blamed: "Token",
        stop: server.stop,
      };
    },
  },
];

for (const { component, method, start } of services) {
  test(`S3 S6 ${component}: proven by the service itself, refused with its reason, mended by Update, kept when out of reach`, async ({ connections, page }) => {
    test.setTimeout(120_000);
    const service = await start();
    const badge = connections.badge("Reporting");

    await test.step("a wrong secret: the form stays and its field carries the reason", async () => {
      await connections.begin(component, method);
      await connections.fill({ ...service.values, [service.secretField]: service.wrong, Name: "Reporting" });
      await connections.save();
      await expect(connections.dialog.locator(".verdict")).toBeVisible({ timeout: 15_000 });
      await connections.expectProblem(service.blamed, /\S/);
      await expect(connections.step("authenticate")).toHaveAttribute("data-outcome", "failed");
      // What was brought into sight scrolled within the dialog, and not the dialog out of itself.
      await expect(connections.dialog.getByRole("heading", { level: 2 })).toBeInViewport();
      await expect(connections.button("Cancel")).toBeInViewport({ ratio: 1 });
      expect(await connections.dialog.evaluate((dialog) => dialog.scrollTop)).toBe(0);
      await expect(connections.field(service.secretField)).toHaveValue(service.wrong);
      await expect(connections.rows).toHaveCount(0);
    });

    await test.step("saved as not active, it is NOT ACTIVE and says why", async () => {
      await connections.button("Save as not active").click();
      await connections.saved();
      await expect(badge).toHaveText("NOT ACTIVE");
      await expect(connections.row("Reporting").locator(".why")).toHaveText(/\S/);
    });

    const update = async (secret: string) => {
      await connections.act("Reporting", "Edit");
      await connections.button(`Replace ${service.secretField}`).click();
      await connections.fill({ [service.secretField]: secret });
      await connections.save();
    };

    await test.step("mended by Update, it is ACTIVE, with the account where the service tells", async () => {
      await connections.row("Reporting").getByRole("button", { name: "Update" }).click();
      await connections.button(`Replace ${service.secretField}`).click();
      await connections.fill({ [service.secretField]: service.right });
      await connections.save();
      await connections.saved();
      await expect(badge).toHaveText("ACTIVE");
      if (service.account) await expect(connections.row("Reporting").locator(".account")).toHaveText(service.account);
    });

    await test.step("a failed update leaves the working secret in force", async () => {
      await update(service.wrong);
      await expect(connections.dialog.locator(".verdict")).toBeVisible({ timeout: 15_000 });
      await connections.button("Cancel").click();
      await connections.button(/Discard/).click();
      await expect(badge).toHaveText("ACTIVE");
      await connections.act("Reporting", "Open");
      const detail = connections.detail("Reporting");
      await detail.getByRole("button", { name: "Test now" }).click();
      await expect(detail.locator("ol.steps li[data-step=authenticate]")).toHaveAttribute("data-outcome", "passed");
      await expect(badge).toHaveText("ACTIVE");
    });

    await test.step("the server stopped: Test now keeps ACTIVE and says it could not be checked", async () => {
      await service.stop();
      await connections.detail("Reporting").getByRole("button", { name: "Test now" }).click();
      await expect(connections.row("Reporting").locator(".why")).toContainText(/could not be checked/i, { timeout: 20_000 });
      await expect(badge).toHaveText("ACTIVE");
      await connections.loaded(() => page.reload());
      await expect(badge).toHaveText("ACTIVE");
    });
  });
}

const trouble: [string, "hang" | "endless" | "redirect" | number][] = [
  ["answers 500", 500],
  ["answers 429", 429],
  ["answers without an end", "endless"],
  ["redirects elsewhere", "redirect"],
  ["never answers", "hang"],
];
for (const [what, behaviour] of trouble) {
  test(`S6 an HTTP API that ${what} does no harm: an ACTIVE connection stays as it was`, async ({ connections, api, rest }) => {
    api.accept("right-token");
    const values = { base_url: api.bearerUrl, token: "right-token", test_path: "/me" };
    const { id } = await rest.create({ name: "Orders", component: "http", method: "bearer", values, validate: true });
    api.behave(behaviour);
    const before = Date.now();
    expect((await rest.request("POST", `/connections/${id}/test`)).ok).toBe(true);
    expect(Date.now() - before).toBeLessThan(15_000);
    await connections.goTo("/?env=development");
    await expect(connections.badge("Orders")).toHaveText("ACTIVE");
    // An HTTP API of unknown kind is judged by its status alone, however odd its body.
    if (behaviour !== "endless") await expect(connections.row("Orders").locator(".why")).toContainText(/could not be checked/i);
    api.behave("well");
    expect((await rest.request("POST", `/connections/${id}/test`)).ok).toBe(true);
    expect(await rest.get(id)).toMatchObject({ status: "active" });
  });
}
