// A server with a key, and an HTTP service for its connections to talk to.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { startHttpApi } from "../servers/http-api.mjs";
import { cache, freePort, run, start, temporaryFolder } from "../servers/process.mjs";

const target = process.env.CARGO_TARGET_DIR ?? join(cache, "target");
const binary = process.env.PATCHBAY_BINARY ?? join(target, "release", "patchbay");
const ENVIRONMENTS = "development,staging,production";

export async function startApi() {
  if (!existsSync(binary)) throw new Error(`${binary} is not built: scripts/build`);
  const { folder, remove } = temporaryFolder("api");
  const port = await freePort();
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PATCHBAY_"));
  const settings = { PATCHBAY_ADDRESS: `127.0.0.1:${port}`, PATCHBAY_DATA_DIR: join(folder, "data") };
  const options = { env: { ...Object.fromEntries(inherited), ...settings }, cwd: folder };
  const server = start(binary, ["serve"], options);
  await server.says(/is ready\./, 120_000);
  const service = await startHttpApi();
  service.accept("right-token");
  const printed = async (...args) => (await run(binary, args, options)).split("\n")[0].trim();
  const permissions = ["use", "read", "write", "credentials"].flatMap((name) => ["--permission", name]);
  return {
    url: `http://127.0.0.1:${port}`,
    folder, service, server,
    key: await printed("api-key", "create", "--name", "clients", "--environment", ENVIRONMENTS, ...permissions),
    instanceKey: await printed("instance-key", "create", "--name", "clients"),
    async stop() {
      await server.stop();
      await service.stop();
      remove();
    },
  };
}
