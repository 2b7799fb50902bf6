// A server is ready once it answers so: its port is open before its database is up to date.

/** Waits until Patchbay on this port says that it is ready. */
export async function untilReady(port) {
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then((answer) => answer.ok, () => false);
    if (ready) return;
    await new Promise((done) => setTimeout(done, 3));
  }
}
