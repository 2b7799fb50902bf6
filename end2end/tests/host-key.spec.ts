// An SSH server is known by its key: what showed another one gets no password.
import { startSshd } from "../servers/sshd.mjs";
import { Patchbay } from "../fixtures/patchbay.ts";
import { Rest } from "../fixtures/rest.ts";
import { expect, test } from "@playwright/test";

type Detail = { status: string; values: Record<string, string>; checks: { outcome: string; message: string }[] };

for (const component of ["ssh", "sftp"]) {
  for (const first of ["proved when it is made", "proved later"]) {
    test(`${component}, ${first}: another host key gets no password, until it is accepted by an update`, async () => {
      test.setTimeout(90_000);
      let server = await startSshd();
      const { host, port, user, password, hostKey } = server;
      const patchbay = await Patchbay.start();
      const rest = new Rest(patchbay);
      const values = { host, port: String(port), user, password };
      const { id } = await rest.create({ name: "Backup", component, method: "password", values, validate: first === "proved when it is made" });
      const check = async () => {
        await rest.request("POST", `/connections/${id}/test`);
        return (await rest.get(id)) as unknown as Detail;
      };
      const known = await check();
      expect(known.checks[0]?.outcome).toBe("accepted");
      // The fingerprint stands with the connection, as if it had been typed.
      if (first === "proved when it is made") expect(known.values.host_key).toBe(hostKey);
      expect((await check()).checks[0]?.outcome).toBe("accepted");

      await server.stop();
      server = await startSshd(port);
      expect(server.hostKey).not.toBe(hostKey);
      for (let n = 0; n < 2; n += 1) {
        const { status, checks } = await check();
        expect(checks[0]).toMatchObject({ outcome: "unanswered", message: expect.stringContaining("nothing was sent") });
        for (const fingerprint of [hostKey, server.hostKey]) expect(checks[0]?.message).toContain(fingerprint);
        expect(status).toBe("active");
      }
      expect(server.output()).toMatch(/Connection (closed|reset)|Unable to negotiate|disconnect/i);
      expect(server.output()).not.toMatch(/(Accepted|Failed) password|userauth/i);

      const accept = (host_key: string) => rest.request("PATCH", `/connections/${id}`, { values: { host_key, password } });
      expect((await accept(hostKey)).ok).toBe(false);
      expect(await (await accept(server.hostKey)).text()).toContain('"active"');
      const accepted = await check();
      expect(accepted.checks[0]?.outcome).toBe("accepted");
      expect(accepted.values.host_key).toBe(server.hostKey);
      await patchbay.stop();
      await server.stop();
    });
  }
}
