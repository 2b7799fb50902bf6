// Makes the site folder out of wasm-bindgen's output: optimise, bundle, name by content, precompress.
//   node scripts/site.mjs BINDGEN_OUTPUT SITE_FOLDER
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import sharp from "sharp";
import { trimmed } from "./trim.mjs";

const [work, site] = process.argv.slice(2);
const bin = (name) => join("node_modules", ".bin", name);
const run = (program, args) => execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
const hashOf = (path) => createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);

const fresh = `${site}.fresh`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(join(fresh, "pkg"), { recursive: true });

// What every browser of the last years takes; `--all-features` writes encodings that none accepts yet.
const features = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];
const optimised = (name) => {
  const output = join(work, `${name}.opt`);
  run(bin("wasm-opt"), ["-Os", "--strip-debug", "--strip-producers", ...features.map((feature) => `--enable-${feature}`), join(work, name), "-o", output]);
  return output;
};
const place = (path, stem, extension) => {
  const name = `pkg/${stem}.${hashOf(path)}.${extension}`;
  cpSync(path, join(fresh, name));
  return name;
};

// Icons as bitmaps, three times as large as most are shown, and all of them on one sheet: each SVG costs the page a
// document of its own, each file a request, and forty of those a fifth of the time until the list can be used.
const ICON = 64;
/// Empty pixels around each: made smaller, neighbours would show at the edges.
const GUTTER = 4;
const CELL = ICON + 2 * GUTTER;

/** Draws the icons, each as a file and all on a sheet; gives the style rules that show a place of the sheet. */
async function drawIcons(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".svg")).sort();
  const columns = Math.ceil(Math.sqrt(names.length));
  const lines = Math.ceil(names.length / columns);
  const ground = { r: 0, g: 0, b: 0, alpha: 0 };
  const lossless = { lossless: true, effort: 6 };
  const rules = [];
  const tiles = [];
  for (const [at, name] of names.entries()) {
    const drawing = join(folder, name);
    const input = await sharp(drawing, { density: 600 }).resize(ICON, ICON, { fit: "contain", background: ground }).webp(lossless).toBuffer();
    writeFileSync(drawing.replace(/svg$/, "webp"), input);
    rmSync(drawing);
    const [column, line] = [at % columns, Math.floor(at / columns)];
    tiles.push({ input, left: column * CELL + GUTTER, top: line * CELL + GUTTER });
    // CSS Backgrounds 3, section 3.6: a percentage is of what the sheet is larger than the place it is shown in.
    const share = (place, places) => `${+((100 * (place * CELL + GUTTER)) / (places * CELL - ICON)).toFixed(4)}%`;
    rules.push(`.drawn-${name.replace(/\.svg$/, "")}{background-position:${share(column, columns)} ${share(line, lines)}}`);
  }
  const sheet = join(work, "icons.webp");
  const canvas = { width: columns * CELL, height: lines * CELL, channels: 4, background: ground };
  await sharp({ create: canvas }).composite(tiles).webp({ nearLossless: true, quality: 60, effort: 6 }).toFile(sheet);
  const size = (places) => `${(100 * places * CELL) / ICON}%`;
  const file = place(sheet, "icons", "webp").replace("pkg/", "");
  // An icon that is not on this sheet, of a newer server, shows nothing of another's.
  return `.drawn{background:url(${file}) no-repeat 200% 200%/${size(columns)} ${size(lines)}}${rules.join("")}`;
}

const { module, emptied } = trimmed(readFileSync(join(work, "patchbay_bg.wasm")));
if (emptied === 0) throw new Error("no function to empty: the names in scripts/trim.mjs do not fit leptos any more");
writeFileSync(join(work, "patchbay_bg.wasm"), module);
const wasm = optimised("patchbay_bg.wasm");
// The parts that are fetched later: the loader names them relative to itself.
const loader = join(work, "__wasm_split.js");
const later = readdirSync(work).filter((name) => /^(split|chunk)_.*\.wasm$/.test(name));
for (const name of later) {
  const placed = place(optimised(name), name.replace(/\.wasm$/, ""), "wasm");
  writeFileSync(loader, readFileSync(loader, "utf8").replaceAll(`"./${name}"`, `"./${placed.replace("pkg/", "")}"`));
}
const js = join(work, "patchbay.min.js");
run(bin("esbuild"), [join(work, "patchbay.js"), "--bundle", "--minify", "--format=esm", "--log-level=warning", "--log-override:duplicate-object-key=silent", `--outfile=${js}`]);
cpSync("public", fresh, { recursive: true });
const css = join(work, "main.css");
run(bin("lightningcss"), ["--bundle", "--minify", join("style", "main.css"), "-o", css]);
appendFileSync(css, await drawIcons(join(fresh, "icons")));

const names = { js: place(js, "patchbay", "js"), wasm: place(wasm, "patchbay_bg", "wasm"), css: place(css, "main", "css") };
// What a page of another product loads to embed this one. The server is built anew when `site.json` is another.
mkdirSync(join(fresh, "sdk", "v1"), { recursive: true });
const sdk = join(fresh, "sdk", "v1", "patchbay.js");
run(bin("esbuild"), [join("sdk", "patchbay.js"), "--minify", "--format=esm", "--log-level=warning", `--outfile=${sdk}`]);
const types = join(fresh, "sdk", "v1", "patchbay.d.ts");
cpSync(join("sdk", "patchbay.d.ts"), types);
writeFileSync(join(fresh, "site.json"), JSON.stringify({ ...names, sdk: [sdk, types].map(hashOf) }));

const filesBelow = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
let total = 0;
for (const path of filesBelow(fresh)) {
  if (!/\.(js|wasm|css|svg)$/.test(path)) continue;
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  if (Object.values(names).some((name) => path.endsWith(name))) total += brotli.length;
}
rmSync(site, { recursive: true, force: true });
renameSync(fresh, site);
console.log(`  first load, brotli: ${(total / 1024).toFixed(0)} KB`);
