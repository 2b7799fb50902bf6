// A secret given to Patchbay is found nowhere: not in the store, the log, the pages or the traffic, in no spelling.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startPostgresql } from "../servers/postgresql.mjs";
import { dump, filesBelow, hits } from "../fixtures/canaries.ts";
import { binary } from "../fixtures/patchbay.ts";
import { expect, test } from "../fixtures/test.ts";

test("the search itself finds a secret in every spelling", () => {
  for (const secret of ["canary-secret-one?", "canary+secret/two"]) {
    for (const prefix of ["", "a", "ab", "abc"]) {
      const dumps = [prefix + secret + "tail", Buffer.from(prefix + secret + "tail").toString("base64"), Buffer.from(secret).toString("hex")];
      for (const dump of dumps) expect(hits("dump", Buffer.from(dump), [secret])).not.toEqual([]);
    }
    expect(hits("dump", Buffer.from("nothing here"), [secret])).toEqual([]);
  }
});

for (const store of ["SQLite", "PostgreSQL"] as const) {
  test.describe(store, () => {
    let database: Awaited<ReturnType<typeof startPostgresql>> | undefined;
    test.use({
      settings: async ({}, use) => {
        database = store === "PostgreSQL" ? await startPostgresql() : undefined;
        const environment: Record<string, string> = { PATCHBAY_LOG: "trace", RUST_BACKTRACE: "1" };
        if (database) environment.PATCHBAY_DATABASE_URL = database.url;
        await use({ environment });
        await database?.stop();
      },
    });

    test(`no secret is found anywhere: ${store}`, async ({ connections, rest, patchbay, page, api, troubles }) => {
      test.setTimeout(120_000);
      // The server is halted while the page still listens to it.
      troubles.allow(/ERR_CONNECTION_REFUSED/);
      let count = 0;
      const canaries: string[] = [];
      const canary = () => canaries[canaries.push(`canary-${++count}-${crypto.randomUUID()}/+?`) - 1];
      const received: { url: string; body: Buffer }[] = [];
      page.on("response", async (response) => {
        const body = await response.body().catch(() => Buffer.alloc(0));
        received.push({ url: response.url(), body: Buffer.concat([Buffer.from(JSON.stringify(response.headers())), body]) });
      });

      // One connection a component and method, a canary in each of its secret fields.
      const { items } = (await (await rest.request("GET", "/components")).json()) as { items: Component[] };
      for (const component of items) {
        for (const method of component.methods) {
          // An account is connected by signing in, which has a test of its own.
          if (method.kind === "authorization_code") continue;
          const values: Record<string, string> = {};
          for (const field of method.fields) {
            const prefix = prefixOf(component.component, field.field);
            if (field.secret) values[field.field] = prefix + canary();
            else if (field.required && !field.default) values[field.field] = prefix + sample(field);
          }
          await rest.create({ name: `${component.component} ${method.method}`, component: component.component, method: method.method, values });
        }
      }
      // Through the browser: accepted, refused, replaced, tested, deleted.
      const accepted = canary();
      api.accept(accepted);
      await connections.goTo("/?env=development");
      await connections.begin("HTTP API", "Bearer token");
      await connections.fill({ "Base URL": api.bearerUrl, Token: canary(), "Test path": "/me", Name: "By hand" });
      await connections.save();
      await expect(connections.dialog.locator(".verdict")).toBeVisible();
      await connections.fill({ Token: accepted });
      await connections.save();
      await connections.saved();
      await connections.act("By hand", "Open");
      await connections.act("By hand", "Test now");
      await connections.act("By hand", "Edit");
      await connections.button("Replace Token").click();
      const refused = canary();
      await connections.fill({ Token: refused });
      await connections.save();
      await connections.button("Save as not active").click();
      await connections.saved();
      for (const { id } of (await rest.list()).slice(0, 5)) {
        const detail = await (await rest.request("GET", `/connections/${id}`)).text();
        expect(hits("REST", Buffer.from(detail), canaries)).toEqual([]);
      }
      // Errors, too, keep what was sent to themselves.
      for (const body of [{ nonsense: canary() }, { environment: canary() }, { environment: "development", component: "http", name: "x", values: { token: canary(), wrong: canary() } }]) {
        const answer = await rest.request("POST", "/connections", body);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(hits("an error", Buffer.from(await answer.text()), canaries)).toEqual([]);
      }
      await connections.loaded(() => page.reload());

      const found = received.flatMap(({ url, body }) => hits(url, body, canaries));
      found.push(...hits("the document", Buffer.from(await page.content()), canaries));
      await patchbay.halt();
      found.push(...hits("the log", Buffer.from(patchbay.output), canaries));
      for (const file of filesBelow(patchbay.dataFolder)) found.push(...hits(file, readFileSync(file), canaries));
      if (database) found.push(...hits("PostgreSQL", Buffer.from(await dump(database)), canaries));
      found.push(...hits("the binary", readFileSync(binary), canaries));
      expect(canaries.length).toBeGreaterThan(15);
      expect(patchbay.output, "the log was kept at its loudest").toMatch(/DEBUG/);
      expect(received.some(({ url }) => url.endsWith(".wasm"))).toBe(true);
      expect(found).toEqual([]);
    });
  });
}

type Field = { field: string; kind: string; secret: boolean; required: boolean; default: string; options?: string[] };
type Component = { component: string; methods: { method: string; kind: string; fields: Field[] }[] };

function sample(field: Field): string {
  const ofKind: Record<string, string> = { url: "https://api.acme.example", host: "db.acme.example", port: "5432", subdomain: "acme", select: field.options?.[0] ?? "" };
  return ofKind[field.kind] ?? "sample";
}

/** What the value of a field has to begin with, by the catalog. */
function prefixOf(component: string, field: string): string {
  const file = readFileSync(join(import.meta.dirname, "../../catalog", `${component}.toml`), "utf8");
  const section = file.split("[[methods.fields]]").slice(1).find((text) => new RegExp(`^id = "${field}"$`, "m").test(text)) ?? "";
  return /^prefixes = \["([^"]*)"/m.exec(section)?.[1] ?? "";
}
