// Deleting a connection that workflows use: they move to another one, all or none, and come back with an undo.
import { startPostgresql } from "../servers/postgresql.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest, type Environment } from "../fixtures/rest.ts";
import { expect, test } from "../fixtures/test.ts";

type Workflow = { id: string; name: string; url?: string | null; connections: string[] };

const WORKFLOWS = 50;

async function registerMany(rest: Rest, connection: string, environment: Environment = "development"): Promise<void> {
  const workflows = Array.from({ length: WORKFLOWS }, (_, n) => ({
    id: `wf-${n}`,
    name: `Workflow ${n}`,
    url: `https://flows.example/${n}`,
    connections: [connection],
  }));
  const answer = await rest.request("PUT", `/workflows?environment=${environment}`, { workflows });
  expect(answer.status, await answer.text()).toBe(204);
}

/** How many of the workflows use which connection. */
async function mapping(rest: Rest, environment: Environment = "development"): Promise<Map<string, number>> {
  const answer = await rest.request("GET", `/workflows?environment=${environment}&limit=200`);
  const { items } = (await answer.json()) as { items: Workflow[] };
  const counts = new Map<string, number>();
  for (const id of items.flatMap(({ connections }) => connections)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

test("S8 deletion offers a replacement for all or for each, and Undo restores both", async ({ connections, rest, page }) => {
  const old = await rest.create({ name: "Old" });
  const next = await rest.create({ name: "Next" });
  await registerMany(rest, old.id);
  await connections.goTo("/?env=development");
  await connections.act("Old", "Delete");
  await expect(connections.dialog).toContainText("50 workflows use it and will need a replacement");
  await expect(connections.dialog.getByRole("link", { name: "Workflow 7", exact: true })).toHaveAttribute("href", "https://flows.example/7");
  await connections.dialog.getByLabel("Use instead, for all 50").selectOption({ label: "Next (not active)" });
  await connections.dialog.getByLabel("Workflow 7 uses instead").selectOption({ label: "No replacement" });
  await expect(connections.dialog).toContainText("50 workflows use it; 1 will need a replacement");
  await connections.dialog.getByLabel("Workflow 7 uses instead").selectOption({ label: "Next (not active)" });
  await connections.button("Replace and delete").click();
  await connections.expectNames("Next");
  expect([...(await mapping(rest))]).toEqual([[next.id, WORKFLOWS]]);
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await connections.expectNames("Next", "Old");
  expect([...(await mapping(rest))]).toEqual([[old.id, WORKFLOWS]]);
});

test("S8 in Production nothing has to be typed once every workflow has its replacement", async ({ connections, rest }) => {
  const old = await rest.create({ name: "Old", environment: "production" });
  await rest.create({ name: "Next", environment: "production" });
  await rest.registerWorkflow("wf", "Salaries", [old.id], "production");
  await connections.goTo("/?env=production");
  await connections.act("Old", "Delete");
  await expect(connections.button("Delete")).toBeDisabled();
  // The choice has the focus, and answers to keys.
  await expect(connections.dialog.getByLabel("Use instead")).toBeFocused();
  await connections.page.keyboard.press("ArrowDown");
  await expect(connections.dialog.getByRole("textbox")).toHaveCount(0);
  await connections.button("Replace and delete").click();
  await connections.expectNames("Next");
});

test("S8 a row's menu replaces everywhere, where workflows use the connection", async ({ connections, rest }) => {
  const old = await rest.create({ name: "Old" });
  await rest.create({ name: "Next" });
  await rest.registerWorkflow("wf", "Salaries", [old.id], "development");
  await connections.goTo("/?env=development");
  await connections.row("Next").getByRole("button", { name: "Actions for Next" }).click();
  await expect(connections.page.getByRole("menuitem", { name: "Delete" })).toBeVisible();
  await expect(connections.page.getByRole("menuitem", { name: "Replace everywhere" })).toHaveCount(0);
  await connections.page.keyboard.press("Escape");
  await connections.act("Old", "Replace everywhere");
  await connections.dialog.getByLabel("Use instead").selectOption({ label: "Next (not active)" });
  await connections.button("Replace").click();
  await expect(connections.toasts).toContainText("Old was replaced in 1 workflow");
});

test("S8 an Undo names the workflows that were changed since, and leaves them", async ({ connections, rest, page }) => {
  const old = await rest.create({ name: "Old" });
  const next = await rest.create({ name: "Next" });
  const third = await rest.create({ name: "Third" });
  await rest.registerWorkflow("wf", "Salaries", [old.id], "development");
  await connections.goTo("/?env=development");
  await connections.act("Old", "Delete");
  await connections.dialog.getByLabel("Use instead").selectOption({ value: next.id });
  await connections.button("Replace and delete").click();
  await connections.expectNames("Next", "Third");
  await rest.registerWorkflow("wf", "Salaries", [third.id], "development");
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await expect(connections.toasts).toContainText("Changed since, and left as they are: Salaries");
});

test("S8 Replace everywhere moves the workflows, and the connection stays", async ({ connections, rest }) => {
  const old = await rest.create({ name: "Old" });
  const next = await rest.create({ name: "Next" });
  await registerMany(rest, old.id);
  await connections.goTo("/?env=development");
  await connections.act("Old", "Open");
  await connections.detail("Old").getByRole("button", { name: "Replace everywhere" }).click();
  await connections.dialog.getByLabel("Use instead, for all 50").selectOption({ label: "Next (not active)" });
  await connections.button("Replace").click();
  await expect(connections.toasts).toContainText("Old was replaced in 50 workflows");
  await connections.expectNames("Next", "Old");
  expect([...(await mapping(rest))]).toEqual([[next.id, WORKFLOWS]]);
  await connections.filter("Not used").click();
  await connections.expectNames("Old");
});

/** Deletes with a replacement and kills the server at a random moment, again and again. */
async function killedAtRandom(patchbay: Patchbay, rounds: number): Promise<void> {
  const rest = new Rest(patchbay);
  const old = await rest.create({ name: "Old", environment: "production" });
  const next = await rest.create({ name: "Next", environment: "production" });
  await registerMany(rest, old.id, "production");
  const ends = { done: 0, undone: 0 };
  let took = 0;
  for (let round = 0; round < rounds; round += 1) {
    // The first round is left alone: it tells how long one takes.
    const began = performance.now();
    const asked = rest.request("DELETE", `/connections/${old.id}?replacement=${next.id}`).catch(() => undefined);
    if (round === 0) {
      await asked;
      took = performance.now() - began;
    } else {
      await new Promise((done) => setTimeout(done, Math.random() * took * 1.2));
    }
    await patchbay.kill();
    await asked;
    await patchbay.restart();
    const [used, listed] = [await mapping(rest, "production"), (await rest.list("production")).map(({ name }) => name)];
    const state = JSON.stringify({ round, used: [...used], listed });
    if (listed.includes("Old")) {
      ends.undone += 1;
      took *= 1.3;
      expect([...used], state).toEqual([[old.id, WORKFLOWS]]);
      continue;
    }
    ends.done += 1;
    // The first one is slow: whatever was whole in time is killed sooner the next time, and the other way round.
    if (round > 0) took *= 0.7;
    expect([...used], state).toEqual([[next.id, WORKFLOWS]]);
    // The undo comes after a restart.
    const back = await rest.request("POST", `/connections/${old.id}/undelete`, {});
    const restored = (await back.json()) as { workflows_returned: string[]; workflows: number };
    expect([restored.workflows_returned.length, restored.workflows]).toEqual([WORKFLOWS, WORKFLOWS]);
    expect([...(await mapping(rest, "production"))], state).toEqual([[old.id, WORKFLOWS]]);
  }
  expect(Math.min(ends.done, ends.undone), JSON.stringify(ends)).toBeGreaterThan(0);
  console.log(`${rounds} deletions killed: ${ends.done} were whole, ${ends.undone} had not happened`);
  expect(await patchbay.command("audit", "verify")).toMatch(/intact/i);
}

test("a deletion with 50 replacements, killed at random, is all or nothing on SQLite, and undone after a restart", async () => {
  test.setTimeout(180_000);
  const patchbay = await Patchbay.start();
  await killedAtRandom(patchbay, 12);
  await patchbay.stop();
});

test("the same on PostgreSQL", async () => {
  test.setTimeout(180_000);
  const database = await startPostgresql();
  const environment = {
    PATCHBAY_DATABASE_URL: database.url.replace(/\/postgres$/, "/orders"),
    PATCHBAY_KEY: Buffer.alloc(32, 7).toString("base64"),
  };
  await database.sql("GRANT ALL ON SCHEMA public TO PUBLIC", "orders");
  const patchbay = await Patchbay.start({ environment });
  await killedAtRandom(patchbay, 12);
  await patchbay.stop();
  await database.stop();
});
