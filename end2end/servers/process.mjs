// Starts programs on free loopback ports in folders of their own, and stops them by their own process id.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const cache = process.env.PATCHBAY_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "patchbay");

/** The interpreter that `servers/install` prepared. */
export const python = join(cache, "end2end-python", "bin", "python");

const given = new Set();

/**
 * A port nobody listens on right now, and no other caller was given. It lies below those that Linux gives to outgoing
 * connections (from 32768), one of which would else have it before its server does.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    // Patchbay takes 27017 for MongoDB's and sends no request there.
    if (port === 27_017 || given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port) {
  const server = createServer();
  const free = new Promise((resolve) => server.once("error", () => resolve(false)).once("listening", () => resolve(true)));
  server.listen(port, "127.0.0.1");
  if (!(await free)) return false;
  server.close();
  await once(server, "close");
  return true;
}

/** A folder for one server; `owner` is the user who shall have it. */
export function temporaryFolder(name, owner) {
  const folder = mkdtempSync(join(tmpdir(), `patchbay-${name}-`));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}

/**
 * A running program. It ends with this process even if nobody stops it (`setpriv --pdeathsig`).
 * @param {{ user?: string, env?: Record<string, string | undefined>, cwd?: string, signal?: NodeJS.Signals }} [options]
 */
export function start(program, args, options = {}) {
  const identity = options.user ? [`--reuid=${options.user}`, `--regid=${options.user}`, "--clear-groups"] : [];
  const child = spawn("setpriv", [...identity, "--pdeathsig=KILL", "--", program, ...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const listeners = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  const running = {
    pid: child.pid,
    ended,
    output: () => output,
    /** Resolves with what `pattern` matched in the output; fails when the program ends first. */
    async says(pattern, milliseconds = 30_000) {
      const deadline = Date.now() + milliseconds;
      for (;;) {
        const found = pattern.exec(output);
        if (found) return found;
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${output}`);
        if (Date.now() > deadline) throw new Error(`${program} did not say ${pattern} in time:\n${output}`);
        await new Promise((resolve) => {
          const done = () => (listeners.delete(done), clearTimeout(timer), resolve(undefined));
          const timer = setTimeout(done, 100);
          listeners.add(done);
        });
      }
    },
    /** Resolves when the port takes connections; fails when the program ends first. */
    async listensOn(port, milliseconds = 30_000) {
      const deadline = Date.now() + milliseconds;
      while (!(await answers(port))) {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}:\n${output}`);
        if (Date.now() > deadline) throw new Error(`${program} does not listen on ${port}:\n${output}`);
        await sleep(30);
      }
    },
    async stop(signal = options.signal ?? "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
        await ended;
        clearTimeout(late);
      }
    },
  };
  return running;
}

/** Whether something accepts connections on this loopback port. */
export function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => (socket.destroy(), resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

/** Runs a program to its end and returns what it printed. */
export async function run(program, args, options = {}) {
  const running = start(program, args, options);
  const code = await running.ended;
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${running.output()}`);
  return running.output();
}
