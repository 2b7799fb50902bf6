// A clock that a program believes: libfaketime reads how far it is ahead from a file each time.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./process.mjs";

function library() {
  const folders = readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "faketime", "libfaketimeMT.so.1"));
  const found = folders.find((path) => existsSync(path));
  if (!found) throw new Error("libfaketime is not installed: scripts/setup test");
  return found;
}

/** Give `environment` to the program; `ahead(minutes)` moves its clock on from the true time. */
export function steeredClock() {
  const { folder, remove } = temporaryFolder("clock");
  const file = join(folder, "offset");
  const ahead = (minutes) => writeFileSync(file, `+${minutes}m\n`);
  ahead(0);
  return {
    ahead,
    remove,
    // What waits for spans of time goes on as it is: only the time of day is moved.
    environment: {
      LD_PRELOAD: library(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1",
    },
  };
}
