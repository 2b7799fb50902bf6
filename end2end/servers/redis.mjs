// Redis whose default user has a password, beside a user of an access control list.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, start, temporaryFolder } from "./process.mjs";

const user = "reporting";
const password = "Nightly-Orders-31";

export async function startRedis() {
  const { folder, remove } = temporaryFolder("redis");
  const port = await freePort();
  const settings = join(folder, "redis.conf");
  writeFileSync(settings, [
    `port ${port}`, "bind 127.0.0.1", `dir ${folder}`, 'save ""', "appendonly no",
    `user default on >${password}-default ~* &* +@all`,
    `user ${user} on >${password} ~* &* +@all`,
  ].join("\n"));
  const server = start("redis-server", [settings]);
  await server.says(/Ready to accept connections/);
  return {
    host: "127.0.0.1", port, user, password,
    url: `redis://${user}:${password}@127.0.0.1:${port}`,
    stop: async () => (await server.stop(), remove()),
  };
}
