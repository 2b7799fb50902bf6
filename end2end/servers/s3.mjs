// An S3-compatible server that refuses a wrong secret.
import { fileURLToPath } from "node:url";
import { freePort, python, start } from "./process.mjs";

export async function startS3() {
  const port = await freePort();
  const script = fileURLToPath(new URL("s3.py", import.meta.url));
  const server = start(python, [script, String(port)], { env: { PATH: process.env.PATH, HOME: "/nonexistent" } });
  const [, ready] = await server.says(/^ready (.*)$/m);
  return { host: "127.0.0.1", port, endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", bucket: "orders", ...JSON.parse(ready), stop: () => server.stop() };
}
