// pickConnection, createConnection, reconnect and <patchbay-connections>, in Chromium.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { heard, hears, openStage, say, settled } from "./stage.mjs";

/** @type {Awaited<ReturnType<typeof openStage>>} */ let stage;

describe("dialogs and element", { timeout: 300_000 }, () => {
  before(async () => (stage = await openStage()));
  after(() => stage.close());

  const onStage = (name, body) => test(name, { timeout: 60_000 }, async () => {
    const scene = await stage.open();
    await body(scene);
    assert.deepEqual(scene.violations, []);
    await scene.close();
  });
  const opened = async ({ page, frame }, name = "pickConnection", options = {}) => {
    await page.focus("#outside");
    await page.evaluate(([ask, given]) => {
      const { getTicket, on } = window;
      window.answer = window.sdk[ask]({ workspace: "acme", getTicket, on, ...given }).then((connection) => (window.answered = { connection }));
    }, [name, { url: stage.patchbay, ...options }]);
    const content = await frame();
    await hears(content, "configure");
    return content;
  };
  const answered = async (page) => {
    await page.waitForFunction(() => window.answered);
    assert.equal((await page.$$("dialog, iframe")).length, 0, "the dialog is gone");
    return page.evaluate(() => window.answered.connection);
  };

  for (const [name, view, event] of [["pickConnection", "picker", "picked"], ["createConnection", "create", "created"], ["reconnect", "reconnect", "reconnected"]]) {
    onStage(`${name} is modal, answers with the connection and gives the focus back`, async (scene) => {
      const frame = await opened(scene, name, { component: "slack", connection: "con_1" });
      assert.ok(frame.url().endsWith(`/embed/acme/${view}?v=1`));
      assert.ok(await scene.page.$eval("dialog", (dialog) => dialog.matches(":modal") && dialog.getAttribute("aria-label").length > 0));
      await say(frame, { type: "shown" });
      await settled(scene.page);
      assert.equal(await scene.page.evaluate(() => document.activeElement.tagName), "IFRAME");
      assert.deepEqual((await heard(frame, "configure"))[0].view, { component: "slack", connection: "con_1" });
      await say(frame, { type: event, connection: { id: "con_9", name: "Ops" } });
      assert.equal((await answered(scene.page)).id, "con_9");
      assert.equal(await scene.page.evaluate(() => document.activeElement.id), "outside");
      assert.deepEqual((await scene.events()).flatMap((told) => told.connection?.id ?? []), ["con_9"]);
    });
  }

  onStage("whoever thinks better of it gives null", async (scene) => {
    const frame = await opened(scene);
    await say(frame, { type: "cancelled" });
    assert.equal(await answered(scene.page), null);
  });

  onStage("Escape leaves at once while nothing is shown, and asks the frame afterwards", async (scene) => {
    const { page } = scene;
    await opened(scene);
    const escape = () => page.$eval("dialog", (dialog) => dialog.dispatchEvent(new Event("cancel", { cancelable: true })));
    await escape();
    assert.equal(await answered(page), null);
    await page.evaluate(() => (window.answered = undefined));
    const frame = await opened(scene);
    await say(frame, { type: "shown" });
    await settled(page);
    await escape();
    assert.equal((await hears(frame, "close")).length, 1);
    assert.equal(await page.evaluate(() => window.answered), undefined);
    await escape();
    assert.equal(await answered(page), null);
  });

  onStage("whoever sees a frame that does not load has a way out, by mouse and by keyboard", async (scene) => {
    const { page } = scene;
    await opened(scene);
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Close");
    await page.keyboard.press("Escape");
    assert.equal(await answered(page), null);
    await page.evaluate(() => (window.answered = undefined));
    await opened(scene);
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(await answered(page), null);
    await page.evaluate(() => (window.answered = undefined));
    const signedIn = await opened(scene);
    await say(signedIn, { type: "signed-in" });
    await settled(page);
    assert.equal(await page.getByRole("button", { name: "Close" }).count(), 1, "nothing can be seen yet");
    await say(signedIn, { type: "shown" });
    await settled(page);
    assert.equal(await page.getByRole("button", { name: "Close" }).count(), 0, "the frame has its own");
  });

  onStage("a click beside the dialog and a signal end it, too", async (scene) => {
    const { page } = scene;
    await opened(scene);
    await page.mouse.click(3, 3);
    assert.equal(await answered(page), null);
    await page.evaluate(([url]) => {
      window.answered = undefined;
      const controller = new AbortController();
      window.sdk.pickConnection({ url, workspace: "acme", getTicket, signal: controller.signal }).then((connection) => (window.answered = { connection }));
      controller.abort();
    }, [stage.patchbay]);
    assert.equal(await answered(page), null);
  });

  onStage("a dialog that the browser closes without asking is over, too", async (scene) => {
    const frame = await opened(scene);
    await say(frame, { type: "shown" });
    await settled(scene.page);
    await scene.page.$eval("dialog", (dialog) => dialog.close());
    assert.equal(await answered(scene.page), null);
  });

  onStage("a signal that was aborted before opens nothing", async ({ page }) => {
    const connection = await page.evaluate((url) => window.sdk.pickConnection({ url, workspace: "acme", getTicket: window.getTicket, signal: AbortSignal.abort() }), stage.patchbay);
    assert.equal(connection, null);
    assert.equal((await page.$$("dialog, iframe")).length, 0);
  });

  onStage("what was set before the element was defined counts", async ({ page, frame }) => {
    await page.evaluate(([url]) => {
      // As an element stands that was made before its class was known.
      const element = document.createElement("patchbay-connections");
      element.setAttribute("url", url);
      element.setAttribute("workspace", "acme");
      for (const [name, value] of [["getTicket", async () => "pb_tkt_early"], ["filters", { tags: ["eu"] }]]) {
        Object.defineProperty(element, name, { value, writable: true, configurable: true, enumerable: true });
      }
      document.querySelector("#box").append(element);
    }, [stage.patchbay]);
    const content = await frame();
    assert.deepEqual((await hears(content, "configure"))[0].filters, { tags: ["eu"] });
    await say(content, { type: "ticket-wanted", reason: "start" });
    assert.equal((await hears(content, "ticket"))[0].ticket, "pb_tkt_early");
  });

  onStage("options that cannot be leave no dialog behind", async ({ page }) => {
    const message = await page.evaluate(() => window.sdk.pickConnection({ url: "ftp://x", workspace: "a" }).catch((error) => error.message));
    assert.match(message, /`url`/);
    assert.equal((await page.$$("dialog")).length, 0);
  });

  onStage("the element mounts when it is complete, follows its attributes, tells by DOM events, and cleans up", async ({ page, frame }) => {
    await page.evaluate(([url]) => {
      const element = document.createElement("patchbay-connections");
      for (const [name, value] of Object.entries({ url, workspace: "acme", view: "picker", component: "slack", sizing: "grow", "max-height": "500", scheme: "dark", radius: "4" })) {
        element.setAttribute(name, value);
      }
      element.getTicket = async () => "pb_tkt_element";
      element.filters = { tags: ["eu"] };
      document.body.addEventListener("patchbay-picked", ({ detail }) => window.events.push(detail));
      document.querySelector("#box").append(element);
      window.element = element;
    }, [stage.patchbay]);
    const content = await frame();
    const [configure] = await hears(content, "configure");
    assert.deepEqual([configure.theme, configure.filters, configure.view, configure.maxHeight], [{ scheme: "dark", radius: 4 }, { tags: ["eu"] }, { component: "slack" }, 500]);
    await say(content, { type: "ticket-wanted", reason: "start" });
    assert.equal((await hears(content, "ticket"))[0].ticket, "pb_tkt_element");
    await say(content, { type: "picked", connection: { id: "con_5" } });
    await page.waitForFunction(() => window.events.length === 1);
    await page.evaluate(() => window.element.setAttribute("scheme", "light"));
    assert.equal((await hears(content, "configure", 2))[1].theme.scheme, "light");
    await page.evaluate(() => window.element.setAttribute("view", "create"));
    await page.waitForFunction(() => document.querySelector("iframe")?.src.includes("/create?"));
    assert.equal((await page.$$("iframe")).length, 1);
    await page.evaluate(() => window.element.remove());
    assert.equal((await page.$$("iframe")).length, 0);
    assert.equal(await page.evaluate(() => window.element.embed), undefined);
  });
});
