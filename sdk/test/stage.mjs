// Two sites in a real browser: a page with a strict policy on `localhost`, and on `127.0.0.1` a frame that says what it is told to.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { chromium } from "@playwright/test";

const source = readFileSync(new URL("../patchbay.js", import.meta.url));

/** The fake frame: notes what it hears and where from; the test speaks through `say`. */
const FRAME = `<!doctype html><meta charset="utf-8"><title>frame</title><body><button>inside</button><script>
  window.heard = [];
  addEventListener("message", ({ data, origin, source }) => source === parent && heard.push({ ...data, origin }));
  window.say = (message, to = "*") => parent.postMessage({ patchbay: 1, ...message }, to);
  if (!location.search.includes("silent")) say({ type: "ready", view: location.pathname.split("/").pop(), version: 1 });
</script>`;

const HOST = `<!doctype html><html lang="en"><meta charset="utf-8"><title>host</title>
  <body><header><button id="outside">outside</button></header><main><div id="box"></div></main><aside id="second"></aside></body></html>`;

async function serve(answer) {
  const server = createServer(answer).listen(0);
  await once(server, "listening");
  return { port: server.address().port, stop: () => (server.closeAllConnections(), server.close()) };
}

export async function openStage() {
  const frames = await serve((request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(FRAME);
  });
  const patchbay = `http://127.0.0.1:${frames.port}`;
  const hosts = await serve((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    if (pathname === "/patchbay.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(source);
    const framed = searchParams.has("closed") ? "'none'" : searchParams.has("open") ? `${patchbay} http://localhost:*` : patchbay;
    const policy = `default-src 'none'; script-src 'self'; frame-src ${framed}; style-src 'none'; base-uri 'none'; form-action 'none'`;
    response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy }).end(HOST);
  });
  const browser = await chromium.launch({
    executablePath: process.env.PATCHBAY_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });

  /** A fresh page of the host, with `sdk` and `say` at hand. */
  async function open(query = "") {
    const page = await browser.newPage();
    const lines = [], violations = [];
    page.on("console", (message) => lines.push(message.text()));
    await page.exposeFunction("reportViolation", (text) => violations.push(text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => window.reportViolation(`${effectiveDirective} ${blockedURI}`));
    });
    await page.goto(`http://localhost:${hosts.port}/${query}`);
    await page.evaluate(async () => {
      window.sdk = await import("/patchbay.js");
      window.events = [];
      const names = ["picked", "created", "reconnected", "cancelled", "changed", "signed-in", "problem"];
      window.on = Object.fromEntries(names.map((name) => [name, (detail) => window.events.push({ name, ...detail })]));
      window.asked = [];
      window.getTicket = async (request) => (window.asked.push(request), "pb_tkt_one");
    });
    const frame = async (index = 0) => {
      await page.waitForFunction((count) => document.querySelectorAll("iframe").length > count, index);
      const element = (await page.$$("iframe"))[index];
      const content = await element.contentFrame();
      await content.waitForFunction(() => window.say);
      return content;
    };
    return {
      page, lines, violations, frame,
      /** Mounts with the usual options and returns the frame, once greeted. */
      async mounted(options = {}, selector = "#box", index = 0) {
        await page.evaluate(([url, given, where]) => {
          const { getTicket, on } = window;
          window.embed = window.sdk.mount(document.querySelector(where), { url, workspace: "acme", getTicket, on, ...given });
        }, [patchbay, options, selector]);
        const content = await frame(index);
        await content.waitForFunction(() => window.heard.some(({ type }) => type === "configure"));
        return content;
      },
      events: () => page.evaluate(() => window.events),
      close: () => page.close(),
    };
  }

  return {
    open, patchbay, host: `http://localhost:${hosts.port}`,
    async close() {
      await browser.close();
      frames.stop();
      hosts.stop();
    },
  };
}

/** What a frame heard of one kind. */
export const heard = (frame, type) => frame.evaluate((wanted) => window.heard.filter((message) => message.type === wanted), type);

/** Waits for a message of this kind. */
export async function hears(frame, type, count = 1) {
  await frame.waitForFunction(([wanted, least]) => window.heard.filter((message) => message.type === wanted).length >= least, [type, count]);
  return heard(frame, type);
}

export const say = (frame, message) => frame.evaluate((told) => window.say(told), message);

/** Whatever was posted has arrived, in both directions. */
export const settled = (page) => page.evaluate(() => new Promise((done) => setTimeout(done, 100)));
