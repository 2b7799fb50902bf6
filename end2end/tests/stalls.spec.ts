// A service that stops answering stops the dialog at exactly that step, and Cancel closes the socket.
import { startStalling } from "../servers/stalling.mjs";
import { expect, test } from "../fixtures/test.ts";

const stalls = [
  { moment: "accept", passed: ["resolve", "connect"], running: "tls" },
  { moment: "tls", passed: ["resolve", "connect", "tls"], running: "authenticate" },
  { moment: "login", passed: ["resolve", "connect", "authenticate"], running: "authorise" },
] as const;

for (const { moment, passed, running } of stalls) {
  test(`S6 a server that stalls after ${moment} stops the check at ${running}; cancelling closes the socket`, async ({ connections, rest }) => {
    const server = await startStalling(moment);
    await connections.begin("PostgreSQL");
    await connections.fill({ Host: server.host, Port: String(server.port), User: "reporting", Password: "secret", Database: "orders", Name: "Stalled" });
    await connections.fill({ Encryption: moment === "login" ? "No encryption" : "Encrypt without verifying" });
    await connections.save();
    await expect(connections.step(running)).toHaveAttribute("data-outcome", "running");
    for (const step of passed) await expect(connections.step(step)).toHaveAttribute("data-outcome", "passed");
    await expect(connections.button("Save")).toHaveCount(0);
    expect(server.open()).toBe(1);

    const cancelled = Date.now();
    await connections.button("Cancel check").click();
    const left = (await server.left) as number;
    expect(left - cancelled, "milliseconds until the socket was closed").toBeLessThan(2_000);
    await expect(connections.button("Save")).toBeEnabled();
    await expect(connections.field("Password")).toHaveValue("secret");
    expect(await rest.list()).toEqual([]);
    await server.stop();
  });
}

test("S6 a server that stalls is given up on after the time allowed", async ({ connections }) => {
  const server = await startStalling("login");
  await connections.begin("PostgreSQL");
  await connections.fill({ Host: server.host, Port: String(server.port), User: "reporting", Password: "secret", Encryption: "No encryption", Name: "Stalled" });
  await connections.save();
  await expect(connections.dialog.locator(".verdict")).toBeVisible({ timeout: 15_000 });
  await expect(connections.step("authorise")).toHaveAttribute("data-outcome", "failed");
  await server.left;
  await server.stop();
});
