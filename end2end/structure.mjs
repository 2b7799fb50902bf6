// The rules that keep the house in order (docs/decisions.md names them). Prints each that is broken.
//   node end2end/structure.mjs
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const LINES = 400;
const BANNED_IN_BROWSER = ["sqlx", "aes-gcm", "oauth2", "reqwest", "tokio-postgres", "rustls", "hyper"];

const files = (folder, pattern) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.path ?? entry.parentPath, entry.name));
const rust = files("src", /\.rs$/).map((path) => {
  const text = readFileSync(path, "utf8");
  // What stands below `#[cfg(test)]` is for tests only; comments say nothing to the compiler.
  const code = text.split(/^\s*#\[cfg\(test\)\]/m)[0].replace(/^\s*\/\/.*$/gm, "");
  return { path, text, code, isTest: /(^|_)tests?\.rs$/.test(path) };
});
const below = (...folders) => ({ path }) => folders.some((folder) => path.startsWith(`${folder}/`) || path === `${folder}.rs`);
const lineOf = (code, index) => code.slice(0, index).split("\n").length;

/** Places in `sources` where `pattern` stands. */
function places(sources, pattern) {
  return sources.flatMap(({ path, code }) => [...code.matchAll(new RegExp(pattern, "gm"))].map((match) => `${path}:${lineOf(code, match.index)}: ${match[0].trim()}`));
}

const product = rust.filter(({ isTest }) => !isTest);
const serverFunctions = product.flatMap(({ path, code }) => [...code.matchAll(/#\[server\b[^\]]*\]/g)].map((match) => ({ path, text: match[0] })));

const rules = {
  "no style attribute in a view: the content security policy forbids it": places(product.filter(below("src/ui")), String.raw`(^|\s)style(=|:[a-z-]+=)`),
  "every server function names Transport as its client": serverFunctions.filter(({ text }) => !/client\s*=\s*Transport/.test(text)).map(({ path, text }) => `${path}: ${text}`),
  "SQL stands in src/server/store only": places(product.filter((file) => !below("src/server/store")(file)), String.raw`\bsqlx::(?!migrate)`),
  "sockets are opened in src/server/dial only": places(product.filter((file) => !below("src/server/dial")(file)), String.raw`\b(TcpStream|UnixStream|UdpSocket|TcpSocket)::\w+`),
  "src/domain knows nothing else, src/api no page, and neither pages nor browser the server": [
    ...places(product.filter(below("src/domain")), String.raw`\bcrate::(api|ui|browser|server)\b`),
    ...places(product.filter(below("src/api")), String.raw`\bcrate::(ui|browser)\b`),
    ...places(product.filter(below("src/ui", "src/browser")), String.raw`\bcrate::server\b`),
  ],
  "src/domain has neither cfg nor async": places(product.filter(below("src/domain")), String.raw`#!?\[cfg\b(?!\(test\))|\basync fn\b`),
  "src/server is left out as a whole, not line by line": places(product.filter((file) => below("src/server", "src/ui")(file)), String.raw`#\[cfg\(feature = "ssr"\)\]`),
  "no unsafe code": places(product, String.raw`\bunsafe\s*(\{|fn|impl)`),
  "no test is skipped or singled out": files("end2end/tests", /\.ts$/).flatMap((path) => {
    const code = readFileSync(path, "utf8");
    return [...code.matchAll(/\b(test|describe)\.(only|skip|fixme|fail)\b/g)].map((match) => `${path}:${lineOf(code, match.index)}: ${match[0]}`);
  }),
  "the browser's half depends on nothing of the server's": browserTree().filter((name) => BANNED_IN_BROWSER.includes(name)),
  "[package.metadata.leptos] says what scripts/build does": metadata(),
};

function cargo(...args) {
  return execFileSync("cargo", args, { encoding: "utf8", maxBuffer: 64 << 20, stdio: ["ignore", "pipe", "inherit"] });
}

function browserTree() {
  const tree = cargo("tree", "--locked", "--no-default-features", "--features", "hydrate", "--target", "wasm32-unknown-unknown", "-e", "normal", "--prefix", "none", "--format", "{p}");
  return [...new Set(tree.split("\n").map((line) => line.split(" ")[0]))];
}

function longFiles() {
  const others = ["end2end", "scripts", "style"].flatMap((folder) => files(folder, /\.(mjs|ts|py|css)$/)).filter((path) => !/node_modules|test-results/.test(path));
  const all = [...rust, ...others.map((path) => ({ path, text: readFileSync(path, "utf8") }))];
  const length = ({ text }) => text.split("\n").length - 1;
  return all.filter((file) => length(file) > LINES).map((file) => `${file.path} (${length(file)})`);
}

/** Where Cargo.toml's leptos section and scripts/build part. */
function metadata() {
  const { packages } = JSON.parse(cargo("metadata", "--locked", "--no-deps", "--format-version", "1"));
  const own = packages.find(({ name }) => name === "patchbay");
  const leptos = own.metadata.leptos;
  const build = readFileSync("scripts/build", "utf8");
  const site = readFileSync("scripts/site.mjs", "utf8");
  const flags = (features, standard) => `${standard ? "" : "--no-default-features "}--features ${features.join(",")}`;
  const expected = [
    [build.includes(`--lib ${flags(leptos["lib-features"], leptos["lib-default-features"])}`), "lib-features"],
    [build.includes(`--release ${flags(leptos["bin-features"], leptos["bin-default-features"])}`), "bin-features"],
    [build.includes('s/^lib-profile-release = "') && leptos["lib-profile-release"] !== undefined, "lib-profile-release"],
    [build.includes(`--out-name ${leptos["output-name"]}`), "output-name"],
    [site.includes(`join("${leptos["style-file"].split("/").join('", "')}")`), "style-file"],
    [site.includes(`cpSync("${leptos["assets-dir"]}"`), "assets-dir"],
    [site.includes(`${leptos["site-pkg-dir"]}/\${name}`) || site.includes(`\`${leptos["site-pkg-dir"]}/`), "site-pkg-dir"],
    [leptos["hash-files"] === true, "hash-files"],
  ];
  return expected.filter(([agrees]) => !agrees).map(([, key]) => key);
}

// Long files are named, not refused: a reader decides.
const remarks = { [`files of more than ${LINES} lines`]: longFiles() };

let broken = 0;
for (const [rule, found] of Object.entries(rules)) {
  console.log(`${found.length === 0 ? "ok  " : "FAIL"} ${rule}`);
  for (const place of found) console.log(`       ${place}`);
  if (found.length > 0) broken += 1;
}
for (const [remark, found] of Object.entries(remarks)) {
  if (found.length > 0) console.log(`note ${remark}: ${found.join(", ")}`);
}
console.log(`structure: ${Object.keys(rules).length - broken} passed, ${broken} failed`);
process.exit(broken === 0 ? 0 : 1);
