// Starts a server for every file in `matrix/`, for the test that asks each of them in all the ways a credential can be
// right or wrong (src/server/probe/matrix_tests.rs). Such a file's default function starts the server and returns
//   protocol, server      what people call them
//   component, method     of the catalog
//   config, secrets       the right credential
//   changes               by case: the values of `config` and `secrets` that are others there
//   left_out              by case: why it does not apply
//   stop                  ends the server
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./process.mjs";

/** @param {string[]} names of files in `matrix/`; none: all of them */
export async function startMatrix(names = []) {
  const folder = new URL("matrix/", import.meta.url);
  const files = readdirSync(folder).filter((file) => names.length === 0 || names.includes(file.replace(/\.mjs$/, ""))).sort();
  const started = await Promise.allSettled(files.map(async (file) => (await import(new URL(file, folder).href)).default()));
  const entries = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const list = temporaryFolder("matrix");
  const stop = async () => {
    await Promise.all(entries.map((entry) => entry.stop()));
    list.remove();
  };
  const failed = started.find((result) => result.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const path = join(list.folder, "matrix.json");
  writeFileSync(path, JSON.stringify(entries), { mode: 0o600 });
  return { path, stop };
}
