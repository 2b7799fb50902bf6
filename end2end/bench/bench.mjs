// The budgets, measured in Chromium on the release build with a sample workspace; medians of several runs.
import { chromium } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { firstLoad } from "../first-load.mjs";
import { cache, freePort, start, temporaryFolder } from "../servers/process.mjs";
import { exchanges, filterSwitches, keystrokes } from "./interaction.mjs";
import { untilReady } from "./ready.mjs";

const RUNS = 7;
const binary = process.env.PATCHBAY_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "release", "patchbay");
const browserOptions = {
  executablePath: process.env.PATCHBAY_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

const sorted = (figures) => [...figures].sort((a, b) => a - b);
const median = (figures) => sorted(figures)[Math.floor(figures.length / 2)];
const percentile = (figures, share) => sorted(figures)[Math.min(figures.length - 1, Math.ceil(figures.length * share) - 1)];

/** A sample workspace of `count` connections in Production. */
async function sample(count) {
  const { folder, remove } = temporaryFolder("bench");
  const port = await freePort();
  const env = { PATH: process.env.PATH, HOME: folder, PATCHBAY_ADDRESS: `127.0.0.1:${port}`, PATCHBAY_DATA_DIR: join(folder, "data") };
  const begin = async () => {
    const from = performance.now();
    const server = start(binary, ["demo", "--connections", String(count)], { env, cwd: folder });
    await untilReady(port);
    return { server, milliseconds: performance.now() - from };
  };
  let { server } = await begin();
  const [link] = await server.says(/http:\/\/\S+\/sign-in#\S+/);
  return {
    url: `http://127.0.0.1:${port}`,
    link,
    /** Resident memory in MiB. */
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) / 1024,
    /** Milliseconds from start to ready, over existing data. */
    async startTime() {
      await server.stop();
      const again = await begin();
      server = again.server;
      return again.milliseconds;
    },
    stop: async () => (await server.stop(), remove()),
  };
}

/** The cookies of somebody signed in. */
async function signedIn(server) {
  const browser = await chromium.launch(browserOptions);
  const page = await browser.newPage();
  await page.goto(server.link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Connections" }).waitFor();
  const state = await page.context().storageState();
  await browser.close();
  return state;
}

/** A page of a browser that has seen nothing. */
async function coldPage(storageState) {
  const browser = await chromium.launch(browserOptions);
  const context = await browser.newContext({ storageState, viewport: { width: 1280, height: 800 } });
  return { browser, page: await context.newPage() };
}

/** Until it paints, shows its rows, and answers to a click. */
async function coldLoad(server, storageState) {
  const { browser, page } = await coldPage(storageState);
  await page.addInitScript(observeFirstUse);
  await page.goto(`${server.url}/?env=production`, { waitUntil: "commit" });
  const usable = await page.evaluate(() => window.firstUse);
  const painted = await firstPaint(page);
  await browser.close();
  return { painted, usable };
}

const firstPaint = (page) => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);

/**
 * What this machine and browser need at the least, whatever the product does: the first paint of its document with
 * nothing but the style sheet and the icons, and of a document of one word. Served by Node, as no part of the product.
 */
async function floors(server, storageState) {
  const { browser, page } = await coldPage(storageState);
  await page.goto(`${server.url}/?env=production`, { waitUntil: "commit" });
  const html = await page.evaluate(() => fetch(location.href).then((answer) => answer.text()));
  await browser.close();
  const still = html.replace(/<script[\s\S]*?<\/script>/g, "").replace(/<link[^>]*preload[^>]*>/g, "");
  const documents = { "/still": still, "/word": "<!doctype html><p>Patchbay" };
  const plain = createServer(async (request, answer) => {
    if (documents[request.url]) return answer.setHeader("content-type", "text/html; charset=utf-8").end(documents[request.url]);
    const from = await fetch(server.url + request.url);
    answer.setHeader("content-type", from.headers.get("content-type") ?? "");
    return answer.end(Buffer.from(await from.arrayBuffer()));
  });
  await new Promise((done) => plain.listen(0, "127.0.0.1", done));
  const paintOf = async (path) => {
    const cold = await coldPage();
    await cold.page.goto(`http://127.0.0.1:${plain.address().port}${path}`);
    await cold.page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    const painted = await firstPaint(cold.page);
    await cold.browser.close();
    return painted;
  };
  const least = { still: await paintOf("/still"), word: await paintOf("/word") };
  plain.close();
  return least;
}

// In the page: presses a row's menu button again and again, and notes when the menu first opens. What it asks of the
// document is asked once: otherwise a part of what is measured would be this.
function observeFirstUse() {
  window.firstUse = new Promise((resolve) => {
    let button;
    let menu;
    const tick = () => {
      if (!button?.isConnected) button = document.querySelector('[role=row][data-id] button[aria-label^="Actions for"]');
      button?.click();
      menu ??= document.querySelector("[role=menu][popover]");
      if (menu?.matches(":popover-open")) resolve(performance.now());
      else setTimeout(tick, 5);
    };
    tick();
  });
}

const rows = [];
const note = (what, budget, value, unit) => {
  rows.push({ what, budget, value, unit });
  console.log(`  ${what}: ${value.toFixed(0)} ${unit}`);
};
/** A figure that no budget is set for: it says what the machine is worth. */
const compare = (what, value, unit) => note(what, null, value, unit);

note("first load, brotli", 400, Object.values(firstLoad()).reduce((sum, size) => sum + size, 0), "KB");
for (const [count, budget] of [[50, 500], [10_000, 700]]) {
  const server = await sample(count);
  const state = await signedIn(server);
  const loads = [];
  const least = [];
  for (let run = 0; run < RUNS; run += 1) {
    loads.push(await coldLoad(server, state));
    if (count === 50) least.push(await floors(server, state));
  }
  if (count === 50) {
    note("first paint, warm server", 300, median(loads.map(({ painted }) => painted)), "ms");
    compare("the machine: first paint of the same document without any script", median(least.map(({ still }) => still)), "ms");
    compare("the machine: first paint of a document of one word", median(least.map(({ word }) => word)), "ms");
  }
  note(`cold browser to rows that answer a click, ${count} connections`, budget, median(loads.map(({ usable }) => usable)), "ms");
  if (count === 10_000) {
    const browser = await chromium.launch(browserOptions);
    const page = await (await browser.newContext({ storageState: state, viewport: { width: 1280, height: 800 } })).newPage();
    note("keystroke in search to painted list, 10,000 connections, p95", 16, percentile(await keystrokes(page, server.url), 0.95), "ms");
    compare("the machine: rows exchanged as ready-made elements, p95", percentile(await exchanges(page, server.url), 0.95), "ms");
    note("switching a filter, 10,000 connections, p95", 50, percentile(await filterSwitches(page, server.url), 0.95), "ms");
    await browser.close();
    const starts = [];
    for (let run = 0; run < RUNS; run += 1) starts.push(await server.startTime());
    note("server start to ready", 300, median(starts), "ms");
    await new Promise((done) => setTimeout(done, 2_000));
    note("memory, idle, 10,000 connections", 64, server.memory(), "MB");
  }
  await server.stop();
}

console.log(`\n| what | budget | measured | |\n|---|---|---|---|`);
for (const { what, budget, value, unit } of rows) {
  const [limit, judgement] = budget === null ? ["", ""] : [`${budget} ${unit}`, value <= budget ? "within" : "OVER"];
  console.log(`| ${what} | ${limit} | ${value.toFixed(0)} ${unit} | ${judgement} |`);
}
if (process.argv.includes("--json")) console.log(JSON.stringify(rows));
