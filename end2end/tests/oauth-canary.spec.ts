// Nothing that opens an account is found anywhere: codes, states, verifiers, device codes, tokens, client secrets.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startMisbehavingOauth } from "../servers/misbehaving-oauth.mjs";
import { scenarios } from "../servers/misbehaving-oauth/scenarios.mjs";
import { componentFile } from "../servers/misbehaving-oauth/toml.mjs";
import { startOidcProvider } from "../servers/oidc-provider.mjs";
import { writeComponent } from "../servers/oidc-provider/component.mjs";
import { startPostgresql } from "../servers/postgresql.mjs";
import { temporaryFolder } from "../servers/process.mjs";
import { dump, filesBelow, hits } from "../fixtures/canaries.ts";
import { pressConnect, signIn } from "../fixtures/oauth.ts";
import { expect, test as base } from "../fixtures/test.ts";

type Scene = {
  misbehaving: Awaited<ReturnType<typeof startMisbehavingOauth>>;
  provider: Awaited<ReturnType<typeof startOidcProvider>>;
  database: Awaited<ReturnType<typeof startPostgresql>> | undefined;
  journal: string;
};

const NAME = "punishes";
const SECRET_PARAMETERS = ["code", "code_verifier", "refresh_token", "state"];

const test = base.extend<{ store: "SQLite" | "PostgreSQL"; scene: Scene }>({
  store: ["SQLite", { option: true }],
  scene: async ({ store }, use) => {
    const database = store === "PostgreSQL" ? await startPostgresql() : undefined;
    const [misbehaving, provider] = [await startMisbehavingOauth(), await startOidcProvider({ hostname: "localhost" })];
    const { folder, remove } = temporaryFolder("journal");
    mkdirSync(folder, { recursive: true });
    await use({ misbehaving, provider, database, journal: folder });
    await Promise.all([misbehaving.stop(), provider.stop(), database?.stop()]);
    remove();
  },
  settings: async ({ scene }, use) => {
    const { misbehaving, provider, database, journal } = scene;
    const { folder, remove } = temporaryFolder("catalog");
    writeFileSync(join(folder, `misbehaving-${NAME}.toml`), componentFile(scenarios.find(({ name }) => name === NAME)!, misbehaving.url));
    writeComponent(folder, provider);
    const environment: Record<string, string> = {
      PATCHBAY_LOG: "trace", RUST_BACKTRACE: "1", PATCHBAY_CATALOG_DIR: folder, PATCHBAY_JOURNAL_DIR: journal,
      PATCHBAY_OAUTH_EXAMPLE_ACCOUNTS_CLIENT_ID: provider.clients.basic.id, PATCHBAY_OAUTH_EXAMPLE_ACCOUNTS_CLIENT_SECRET: provider.clients.basic.secret!,
    };
    if (database) environment.PATCHBAY_DATABASE_URL = database.url;
    await use({ environment });
    remove();
  },
});

for (const store of ["SQLite", "PostgreSQL"] as const) {
  test.describe(store, () => {
    test.use({ store });

    test(`no code, state, verifier, token or client secret is found anywhere: ${store}`, async ({ scene, connections, patchbay, page, context, troubles }) => {
      test.setTimeout(150_000);
      troubles.allow(/ERR_CONNECTION_REFUSED|favicon\.ico/);
      const { misbehaving, provider, database, journal } = scene;
      const received: { url: string; body: Buffer }[] = [];
      context.on("response", async (response) => {
        if (!response.url().startsWith(connections.url)) return;
        const body = await response.body().catch(() => Buffer.alloc(0));
        received.push({ url: response.url(), body: Buffer.concat([Buffer.from(JSON.stringify(response.headers())), body]) });
      });

      // An own client, typed in; an exchange that fails, and one that does not; renewals; an account lost.
      misbehaving.control.faults({ scenario: NAME, at: "exchange", faults: ["html-200", "well"] });
      const dialog = await connections.begin(`Misbehaving: ${NAME}`);
      await connections.fill({ Name: "Canary" });
      await dialog.getByLabel("Client ID").fill(misbehaving.client.id);
      await dialog.getByLabel("Client secret", { exact: true }).fill(misbehaving.client.secret);
      await dialog.getByRole("button", { name: "Use this client" }).click();
      await expect(dialog).toContainText("Uses this environment's own client");
      const shown: Buffer[] = [];
      for (const attempt of ["fails", "works"]) {
        const popup = await pressConnect(page, dialog, /^(Connect Misbehaving|Connect again)/);
        await popup.getByRole("button", { name: /^Continue to/ }).click();
        if (attempt === "fails") await expect(dialog.locator("#connect-ending")).toBeVisible({ timeout: 15_000 });
        shown.push(Buffer.from(await page.content()));
      }
      await expect(connections.badge("Canary")).toHaveText("ACTIVE", { timeout: 15_000 });
      const presented = () => Object.keys(misbehaving.control.presentations({ scenario: NAME }).presentations).length;
      const renew = async (times: number) => {
        misbehaving.control.expire({ scenario: NAME });
        await connections.act("Canary", "Test now");
        await expect.poll(presented, { timeout: 15_000 }).toBe(times);
      };
      await renew(1);
      if (database) {
        // What is written down while the database is away.
        const away = database.sql("BEGIN; LOCK TABLE connections IN EXCLUSIVE MODE; SELECT pg_sleep(6); COMMIT");
        await renew(2);
        const notes = () => readdirSync(journal).filter((name) => name.endsWith(".renewal"));
        await expect.poll(() => notes().length, { intervals: [50] }).toBe(1);
        shown.push(readFileSync(join(journal, notes()[0]!)));
        await away;
      }
      await expect(connections.badge("Canary")).toHaveText("ACTIVE", { timeout: 15_000 });
      misbehaving.control.revoke({ scenario: NAME });
      await connections.act("Canary", "Test now");
      await expect(connections.badge("Canary")).toHaveText("NOT ACTIVE", { timeout: 15_000 });

      // A device's code.
      const device = await connections.begin("Example Accounts");
      await device.getByText("Somebody else owns the account?").click();
      await device.getByRole("button", { name: "Use a code instead" }).click();
      const code = await device.getByRole("textbox", { name: "Code" }).inputValue();
      const canaries = [...provider.control.deviceCodes()];
      expect(canaries.length).toBe(1);
      const elsewhere = await context.newPage();
      await elsewhere.goto(`${provider.issuer}/device`);
      await elsewhere.locator("[name=user_code]").fill(code);
      for (let step = 0; step < 2; step += 1) await elsewhere.getByRole("button", { name: "Continue" }).click();
      await signIn(elsewhere, "bob@example.com");
      await elsewhere.getByRole("button", { name: "Allow" }).click();
      await expect(device).toBeHidden({ timeout: 20_000 });
      canaries.push(...provider.control.tokensOf("bob@example.com"), provider.clients.basic.secret!, misbehaving.client.secret);

      const states: string[] = [];
      for (const { parameters } of misbehaving.control.log({ scenario: NAME }).requests as { parameters?: Record<string, string> }[]) {
        for (const name of SECRET_PARAMETERS) {
          const value = parameters?.[name];
          if (value) (name === "state" ? states : canaries).push(value);
        }
      }
      for (const { access_token, refresh_token } of misbehaving.control.tokens({ scenario: NAME }).connections) canaries.push(access_token!, refresh_token!);
      expect(states.length).toBe(2);
      expect(new Set(canaries).size).toBeGreaterThan(9);

      await connections.loaded(() => page.reload());
      shown.push(Buffer.from(await page.content()));
      const found = shown.flatMap((text) => hits("what was shown or written down", text, [...canaries, ...states]));
      found.push(...received.flatMap(({ url, body }) => hits(new URL(url).pathname, body, canaries)));
      // The state has to stand in the address that the browser is given to go to.
      found.push(...received.filter(({ url }) => !url.endsWith("/oauth/start")).flatMap(({ url, body }) => hits(new URL(url).pathname, body, states)));
      await patchbay.halt();
      const all = [...canaries, ...states];
      found.push(...hits("the log", Buffer.from(patchbay.output), all));
      for (const file of [...filesBelow(patchbay.dataFolder), ...filesBelow(journal)]) found.push(...hits(file, readFileSync(file), all));
      if (database) found.push(...hits("PostgreSQL", Buffer.from(await dump(database)), all));
      expect(patchbay.output, "the log was kept at its loudest").toMatch(/DEBUG/);
      expect(received.some(({ url }) => url.includes("/oauth/callback"))).toBe(true);
      expect(found).toEqual([]);
    });
  });
}
