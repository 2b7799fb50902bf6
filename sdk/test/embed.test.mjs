// mount(): messages, tickets, evil frames, sizes, overlay and clean-up, in Chromium.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { heard, hears, openStage, say, settled } from "./stage.mjs";

/** @type {Awaited<ReturnType<typeof openStage>>} */ let stage;

describe("mount", { timeout: 300_000 }, () => {
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const CONNECTION = { id: "con_1", name: "Ops", component: "slack", environment: "production", status: "active" };

  /** One page for one test; no policy was hurt when it ends. */
  const onStage = (name, body, query = "") => test(name, { timeout: 60_000 }, async () => {
    const scene = await stage.open(query);
    await body(scene);
    if (!query) assert.deepEqual(scene.violations, []);
    await scene.close();
  });

  onStage("the frame stands where it should, with exactly the rights it needs", async ({ page, mounted }) => {
    await mounted({ view: "picker" });
    const frame = await page.$eval("iframe", (iframe) => ({ src: iframe.src, sandbox: iframe.getAttribute("sandbox"), allow: iframe.allow, title: iframe.title }));
    assert.deepEqual(frame, {
      src: `${stage.patchbay}/embed/acme/picker?v=1`,
      sandbox: "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox",
      allow: "clipboard-write", title: "Choose a connection",
    });
  });

  onStage("a public URL with a path keeps it", async ({ page }) => {
    const sources = await page.evaluate((url) => ["/hub", "/hub/", "/hub?x#y"].map((path) => {
      const embed = window.sdk.mount(document.body, { url: url + path, workspace: "acme", getTicket });
      const { src } = embed.iframe;
      embed.close();
      return src;
    }), stage.patchbay);
    assert.deepEqual(new Set(sources), new Set([`${stage.patchbay}/hub/embed/acme/connections?v=1`]));
  });

  onStage("options that cannot be are refused in words", async ({ page }) => {
    const messages = await page.evaluate((url) => {
      const attempt = (options, element = document.body) => {
        try {
          window.sdk.mount(element, options);
          return "mounted";
        } catch (error) {
          return `${error.name}: ${error.message}`;
        }
      };
      return [attempt({ url, workspace: "acme" }, null), attempt({ workspace: "acme" }), attempt({ url: "javascript:alert(1)", workspace: "acme" }),
        attempt({ url }), attempt({ url, workspace: "acme", view: "../x" }), attempt({ url, workspace: "acme", view: "toString" })];
    }, stage.patchbay);
    for (const [message, pattern] of messages.map((message, index) => [message, [/element/, /`url`/, /`url`/, /`workspace`/, /`view`/, /`view`/][index]])) {
      assert.match(message, /^TypeError: patchbay/);
      assert.match(message, pattern);
    }
    assert.equal((await page.$$("iframe")).length, 0);
  });

  onStage("it greets with all that is set, hands one ticket over, and tells who is in", async ({ page, mounted, events }) => {
    const frame = await mounted({ theme: { scheme: "dark", accent: "#0f766e" }, locale: "de-CH", environment: "staging", filters: { tags: ["eu"] }, component: "slack" });
    const [configure] = await heard(frame, "configure");
    assert.deepEqual(configure, {
      patchbay: 1, type: "configure", origin: stage.host, theme: { scheme: "dark", accent: "#0f766e" }, locale: "de-CH", environment: "staging",
      filters: { tags: ["eu"] }, view: { component: "slack" },
    });
    assert.equal((await heard(frame, "ticket")).length, 0, "nothing is handed over unasked");
    await say(frame, { type: "ticket-wanted", reason: "start" });
    const [ticket] = await hears(frame, "ticket");
    assert.equal(ticket.ticket, "pb_tkt_one");
    assert.deepEqual(await page.evaluate(() => window.asked), [{ reason: "start", workspace: "acme", view: "connections" }]);
    await say(frame, { type: "signed-in", workspace: { id: "acme", name: "Acme" }, role: "editor" });
    assert.equal((await page.evaluate(() => window.embed.ready)).role, "editor");
    await say(frame, { type: "picked", connection: CONNECTION });
    await settled(page);
    assert.deepEqual((await events()).map(({ name }) => name), ["signed-in", "picked"]);
    assert.deepEqual((await events())[1].connection, CONNECTION);
  });

  onStage("each renewal asks the host anew, one at a time", async ({ page, mounted }) => {
    await page.evaluate(() => {
      let count = 0;
      window.getTicket = (request) => (window.asked.push(request), new Promise((done) => setTimeout(done, 50, { ticket: `pb_tkt_${++count}` })));
    });
    const frame = await mounted();
    await frame.evaluate(() => ["start", "start", "start"].forEach((reason) => window.say({ type: "ticket-wanted", reason })));
    await hears(frame, "ticket");
    await say(frame, { type: "ticket-wanted", reason: "renewal" });
    const tickets = await hears(frame, "ticket", 2);
    assert.deepEqual(tickets.map(({ ticket }) => ticket), ["pb_tkt_1", "pb_tkt_2"]);
    assert.deepEqual(await page.evaluate(() => window.asked.map(({ reason }) => reason)), ["start", "renewal"]);
  });

  onStage("a frame that was reloaded is greeted and served again", async ({ page, mounted, frame: current }) => {
    const frame = await mounted();
    await frame.evaluate(() => location.reload());
    await page.waitForTimeout(300);
    const again = await current();
    await hears(again, "configure");
    await say(again, { type: "ticket-wanted", reason: "start" });
    assert.equal((await hears(again, "ticket")).length, 1);
  });

  const failures = {
    "rejects": [() => { window.getTicket = async () => { throw new Error("signed out"); }; }, /signed out/],
    "throws": [() => { window.getTicket = () => { throw new Error("not now"); }; }, /not now/],
    "gives nothing": [() => { window.getTicket = async () => undefined; }, /no ticket/],
    "gives the instance key": [() => { window.getTicket = async () => "pb_inst_secret"; }, /something else than a ticket/],
    "is missing": [() => { window.getTicket = undefined; }, /not given/],
  };
  for (const [what, [arrange, pattern]] of Object.entries(failures)) {
    onStage(`getTicket that ${what}: the frame and the console are told, and the next try works`, async ({ page, mounted, lines, events }) => {
      await page.evaluate(arrange);
      const frame = await mounted();
      await say(frame, { type: "ticket-wanted", reason: "start" });
      const [failed] = await hears(frame, "ticket-failed");
      assert.match(failed.message, pattern);
      assert.ok(!JSON.stringify(await frame.evaluate(() => window.heard)).includes("pb_inst_secret"));
      assert.equal((await events())[0].code, "ticket_failed");
      assert.match(lines.join("\n"), /\[patchbay\] ticket_failed: .*\nTo mend it: getTicket/);
      assert.equal(await page.evaluate(() => window.embed.ready.catch((error) => error.code)), "ticket_failed");
      await page.evaluate(() => window.embed.configure({ getTicket: async () => "pb_tkt_better" }));
      await say(frame, { type: "ticket-wanted", reason: "start" });
      assert.equal((await hears(frame, "ticket"))[0].ticket, "pb_tkt_better");
    });
  }

  onStage("only this frame's window and exact origin are listened to, and garbage does nothing", async ({ page, mounted, events }) => {
    const frame = await mounted({ sizing: "grow", overlay: true });
    // The page itself, and a frame of the page's own origin, speak as if they were Patchbay.
    await page.evaluate(async () => {
      const forged = { patchbay: 1, type: "picked", connection: { id: "con_forged" } };
      window.postMessage(forged, "*");
      dispatchEvent(new MessageEvent("message", { data: forged, origin: "http://127.0.0.1", source: window }));
      dispatchEvent(new MessageEvent("message", { data: forged, origin: location.origin, source: window.embed.iframe.contentWindow }));
      dispatchEvent(new MessageEvent("message", { data: forged, origin: new URL(window.embed.iframe.src).origin, source: null }));
    });
    await frame.evaluate(() => {
      const evil = [null, 7, "picked", [], {}, { type: "picked" }, { patchbay: 2, type: "picked", connection: { id: "x" } },
        { patchbay: 1, type: "picked" }, { patchbay: 1, type: "picked", connection: { id: 7 } }, { patchbay: 1, type: ["picked"] },
        { patchbay: 1, type: "__proto__" }, { patchbay: 1, type: "constructor" }, { patchbay: 1, type: "toString", connection: { id: "x" } },
        { patchbay: 1, type: "size", height: "900px" }, { patchbay: 1, type: "size", height: NaN }, { patchbay: 1, type: "size", height: -1 },
        { patchbay: 1, type: "overlay", open: "yes" }];
      for (const message of evil) parent.postMessage(message, "*");
    });
    const took = await page.evaluate(async () => {
      const began = performance.now();
      for (let n = 0; n < 10_000; n++) window.postMessage({ patchbay: 1, type: "picked", connection: { id: `con_${n}` } }, "*");
      await new Promise((done) => setTimeout(done, 0));
      return performance.now() - began;
    });
    await settled(page);
    assert.deepEqual(await events(), []);
    assert.deepEqual(await page.evaluate(() => window.asked), []);
    assert.equal(await page.$eval("iframe", (iframe) => iframe.style.height), "320px");
    assert.ok(took < 5_000, `${took} ms`);
  });

  onStage("what goes to the frame goes to Patchbay's origin alone", async ({ page, mounted }) => {
    const frame = await mounted();
    // Somebody got the frame to show another site: nothing is said to it.
    const elsewhere = stage.patchbay.replace("127.0.0.1", "localhost");
    await frame.evaluate((url) => (location.href = url), `${elsewhere}/x?silent`).catch(() => {});
    await page.waitForTimeout(500);
    const other = page.frames().at(-1);
    await page.evaluate(() => window.embed.configure({ locale: "fr" }));
    await say(other, { type: "ticket-wanted", reason: "start" });
    await settled(page);
    assert.deepEqual(await other.evaluate(() => window.heard), []);
    assert.deepEqual(await page.evaluate(() => window.asked), []);
    assert.match(other.url(), /^http:\/\/localhost:\d+\/x/);
  }, "?open");

  onStage("fill takes the element's size; grow follows the content up to maxHeight", async ({ page, mounted }) => {
    await page.evaluate(() => Object.assign(document.querySelector("#box").style, { width: "400px", height: "250px" }));
    const filled = await mounted();
    const size = () => page.$eval("iframe", (iframe) => [iframe.offsetWidth, iframe.offsetHeight]);
    assert.deepEqual(await size(), [400, 250]);
    await say(filled, { type: "size", height: 900 });
    await settled(page);
    assert.deepEqual(await size(), [400, 250]);
    await page.evaluate(() => (window.embed.configure({ sizing: "grow" }), (document.querySelector("#box").style.height = "")));
    await say(filled, { type: "size", height: 500.2 });
    await page.waitForFunction(() => document.querySelector("iframe").offsetHeight === 501);
    await say(filled, { type: "size", height: 5_000 });
    await page.waitForFunction(() => document.querySelector("iframe").offsetHeight === 800);
    await page.evaluate(() => window.embed.configure({ maxHeight: 600 }));
    assert.deepEqual(await size(), [400, 600]);
  });

  onStage("configure tells the frame everything that holds from now on", async ({ page, mounted }) => {
    const frame = await mounted({ locale: "en-GB", filters: { q: "x" } });
    await page.evaluate(() => window.embed.configure({ theme: { scheme: "light" }, filters: undefined }));
    const [, latest] = await hears(frame, "configure", 2);
    assert.deepEqual([latest.locale, latest.theme, latest.filters], ["en-GB", { scheme: "light" }, undefined]);
  });

  onStage("a dialog enlarges the same frame over the page, and everything is as it was afterwards", async ({ page, mounted }) => {
    await page.evaluate(() => {
      const box = document.querySelector("#box");
      Object.assign(box.style, { width: "300px", height: "200px", transform: "translateX(40px)", overflow: "hidden" });
      document.body.style.minHeight = "3000px";
      document.querySelector("#second").inert = true;
    });
    const frame = await mounted({ overlay: true });
    await page.frames().at(-1).click("button");
    await frame.evaluate(() => (window.mark = "same document"));
    const look = () => page.evaluate(() => {
      const rect = document.querySelector("iframe").getBoundingClientRect();
      return {
        rect: [rect.x, rect.y, rect.width, rect.height], overflow: document.documentElement.style.overflow, padding: document.body.style.paddingRight,
        header: document.querySelector("header").inert, second: document.querySelector("#second").inert,
        focus: document.activeElement.tagName, style: document.querySelector("iframe").style.cssText, box: document.querySelector("#box").style.cssText,
        popover: document.querySelector("iframe").popover,
      };
    });
    const before = await look();
    await say(frame, { type: "overlay", open: true });
    const [told] = await hears(frame, "overlay");
    assert.deepEqual(Object.values(told.box), [before.rect[1], before.rect[0], 300, 200]);
    const over = await look();
    const [width, height] = await page.evaluate(() => [document.documentElement.clientWidth, innerHeight]);
    assert.deepEqual(over.rect, [0, 0, width, height]);
    assert.deepEqual([over.overflow, over.header, over.second, over.focus], ["hidden", true, true, "IFRAME"]);
    assert.ok(await frame.evaluate(() => document.hasFocus()));
    await say(frame, { type: "overlay", open: true });
    await say(frame, { type: "overlay", open: false });
    await hears(frame, "overlay", 2);
    assert.deepEqual(await look(), before);
    assert.equal(await frame.evaluate(() => window.mark), "same document");
    assert.ok(await frame.evaluate(() => document.hasFocus()));
  });

  onStage("close while a dialog is open leaves no trace, and no listener", async ({ page, mounted, events }) => {
    const frame = await mounted({ overlay: true });
    await say(frame, { type: "overlay", open: true });
    await hears(frame, "overlay");
    await page.evaluate(() => {
      const { contentWindow, src } = window.embed.iframe;
      window.embed.close();
      dispatchEvent(new MessageEvent("message", { data: { patchbay: 1, type: "cancelled" }, origin: new URL(src).origin, source: contentWindow }));
    });
    const left = await page.evaluate(() => [document.querySelectorAll("iframe").length, document.documentElement.style.overflow, document.querySelector("header").inert]);
    assert.deepEqual(left, [0, "", false]);
    assert.deepEqual(await events(), []);
    assert.match(await page.evaluate(() => window.embed.ready.catch((error) => error.message)), /closed/);
  });

  onStage("several frames on a page do not hear each other", async ({ page, mounted, events }) => {
    await mounted();
    await page.evaluate(() => (window.on = { picked: () => window.events.push({ name: "second" }) }));
    const second = await mounted({ workspace: "other" }, "#second", 1);
    await say(second, { type: "picked", connection: CONNECTION });
    await settled(page);
    assert.deepEqual(await events(), [{ name: "second" }]);
  });

  onStage("a problem of the frame is in the console with the line that mends it", async ({ mounted, lines, events, page }) => {
    const frame = await mounted();
    await say(frame, { type: "problem", code: "ticket_used", message: "This ticket was used before.", remedy: "Make a ticket for each call.", docs: "https://x.example/docs" });
    await settled(page);
    assert.ok(lines.includes("[patchbay] ticket_used: This ticket was used before.\nTo mend it: Make a ticket for each call.\nhttps://x.example/docs"));
    assert.equal((await events())[0].code, "ticket_used");
  });

  onStage("a frame that stays silent: who is to allow which origin", async ({ page, lines, events }) => {
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(60_000);
    await page.evaluate((url) => {
      window.embed = window.sdk.mount(document.querySelector("#box"), { url, workspace: "acme", getTicket: window.getTicket, on: window.on });
      window.embed.iframe.src += "&silent";
    }, stage.patchbay);
    await page.clock.runFor(9_900);
    assert.deepEqual(await events(), []);
    await page.clock.runFor(200);
    assert.equal((await events())[0].code, "no_answer");
    assert.ok(lines.join("\n").includes(`curl ${stage.patchbay}/api/v1/workspaces/acme`));
    assert.ok(lines.join("\n").includes(`"${stage.host}" added to allowed_origins`));
  });

  onStage("a page whose own policy forbids the frame: which word it lacks", async ({ page, lines }) => {
    await page.evaluate((url) => (window.embed = window.sdk.mount(document.querySelector("#box"), { url, workspace: "acme", getTicket: window.getTicket })), stage.patchbay);
    assert.equal(await page.evaluate(() => window.embed.ready.catch((error) => error.code)), "host_csp");
    assert.ok(lines.join("\n").includes(`add to the policy: frame-src ${stage.patchbay}`));
  }, "?closed");
});
