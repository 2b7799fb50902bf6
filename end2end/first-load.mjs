// The first load: script, module and style sheet, as brotli sends them. It is over its budget and may only shrink:
// growth of more than 3 % over the figure last written down here fails (docs/performance.md says what is to be done).
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { cache } from "./servers/process.mjs";

export const BUDGET_KB = 400;
const LAST_KB = 577;
const site = process.env.PATCHBAY_SITE_DIR ?? join(process.env.CARGO_TARGET_DIR ?? join(cache, "target"), "site");

/** Kilobytes (1024 bytes) by kind of file. */
export function firstLoad() {
  const names = JSON.parse(readFileSync(join(site, "site.json"), "utf8"));
  return Object.fromEntries(Object.entries(names).map(([kind, name]) => [kind, statSync(join(site, `${name}.br`)).size / 1024]));
}

if (process.argv[1] === import.meta.filename) {
  const sizes = firstLoad();
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const parts = Object.entries(sizes).map(([kind, size]) => `${kind} ${size.toFixed(0)}`);
  console.log(`first load, brotli: ${total.toFixed(0)} KB of ${BUDGET_KB} (${parts.join(", ")})`);
  if (total > BUDGET_KB) console.log(`OVER BUDGET by ${(total - BUDGET_KB).toFixed(0)} KB; last written down: ${LAST_KB} KB`);
  process.exit(total <= Math.max(BUDGET_KB, LAST_KB * 1.03) ? 0 : 1);
}
