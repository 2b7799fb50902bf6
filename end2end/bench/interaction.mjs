// Times an interaction inside the page: from the input event to the frame that shows its effect.

/** Waits for the page of 10,000 connections, hydrated and with its snapshot. */
async function ready(page, url) {
  const snapshot = page.waitForResponse((response) => response.url().includes("/rpc/snapshot?") && !response.url().includes("since="));
  await page.goto(`${url}/?env=production`);
  await (await snapshot).finished();
  await page.locator("[role=table][aria-rowcount='10001']").waitFor();
  await page.waitForTimeout(500);
}

// In the page: runs `deed` where browsers hand over input, at the beginning of a frame, and resolves with the
// milliseconds until that frame is painted, or a later one if the document still changed for it.
function timeToPaint(deed) {
  const FRAMES = 5;
  let seen = false;
  const changes = new MutationObserver(() => (seen = true));
  changes.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  return new Promise((resolve) => {
    let from = 0;
    let painted = 0;
    const frame = (index) => {
      if (index === 0) {
        from = performance.now();
        deed();
      }
      const channel = new MessageChannel();
      // A message posted while a frame is made arrives after the frame was painted.
      channel.port1.onmessage = () => {
        const changed = seen || changes.takeRecords().length > 0;
        seen = false;
        if (index === 0 || changed) painted = performance.now();
        if (index === FRAMES) {
          changes.disconnect();
          resolve(painted - from);
        } else requestAnimationFrame(() => frame(index + 1));
      };
      channel.port2.postMessage(0);
    };
    requestAnimationFrame(() => frame(0));
  });
}

/** Milliseconds of each keystroke: words typed letter by letter, and taken back. */
export async function keystrokes(page, url) {
  await ready(page, url);
  return page.evaluate(async (source) => {
    const timeToPaint = new Function(`return ${source}`)();
    const field = document.querySelector("input[type=search]");
    const figures = [];
    const show = async (text) => {
      figures.push(await timeToPaint(() => {
        field.value = text;
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }));
      await new Promise((done) => setTimeout(done, 60));
    };
    for (const word of ["billing", "alerts eu", "osaka", "release bot"]) {
      for (let length = 1; length <= word.length; length += 1) await show(word.slice(0, length));
      for (let length = word.length - 1; length >= 0; length -= 1) await show(word.slice(0, length));
    }
    return figures.slice(4);
  }, timeToPaint.toString());
}

/** Milliseconds of each switch of a component, status or tag filter. */
export async function filterSwitches(page, url) {
  await ready(page, url);
  return page.evaluate(async (source) => {
    const timeToPaint = new Function(`return ${source}`)();
    const figures = [];
    const links = () => [...document.querySelectorAll('nav[aria-label="Filters"] a')].filter((link) => !/deleted/i.test(link.href));
    const count = links().length;
    for (let index = 0; index < Math.min(count, 30); index += 1) {
      const link = links()[index];
      if (!link) continue;
      figures.push(await timeToPaint(() => link.click()));
      await new Promise((done) => setTimeout(done, 80));
      const all = links().find((candidate) => /All Components/.test(candidate.textContent));
      const clear = [...document.querySelectorAll("a")].find((candidate) => candidate.textContent.trim() === "Clear filters") ?? all;
      figures.push(await timeToPaint(() => clear.click()));
      await new Promise((done) => setTimeout(done, 80));
    }
    return figures;
  }, timeToPaint.toString());
}

/**
 * What this machine and browser need at the least to show other rows: milliseconds of each exchange of the rows of one
 * search for those of another, as elements that were made before and that no framework knows.
 */
export async function exchanges(page, url) {
  await ready(page, url);
  return page.evaluate(async (source) => {
    const timeToPaint = new Function(`return ${source}`)();
    const field = document.querySelector("input[type=search]");
    const list = document.querySelector("[role=row][data-id]").parentElement;
    const found = async (text) => {
      field.value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      await new Promise((done) => setTimeout(done, 500));
      return list.cloneNode(true);
    };
    let [shown, other] = [await found("al"), await found("os")];
    list.replaceWith(shown);
    await new Promise((done) => setTimeout(done, 500));
    const figures = [];
    for (let index = 0; index < 60; index += 1) {
      figures.push(await timeToPaint(() => shown.replaceWith(other)));
      [shown, other] = [other, shown];
      await new Promise((done) => setTimeout(done, 60));
    }
    return figures.slice(4);
  }, timeToPaint.toString());
}
