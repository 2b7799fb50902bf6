import { startHttpApi } from "../http-api.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function basic() {
  const api = await startHttpApi();
  api.accept("reporting:Nightly-Orders-71");
  return byHttp(api, {
    protocol: "HTTP API, by user and password", server: "an API of our own on Node.js; TLS by a program in front of it",
    component: "http", method: "basic", url: "base_url", path: "/basic",
    config: { user: "reporting", test_path: "/me" }, secrets: { password: "Nightly-Orders-71" },
    changes: { "wrong password": { secrets: { password: "wrong" } }, "wrong user": { config: { user: "nobody" } } },
    left_out: { "missing permission": "What is permitted, every API tells in a way of its own." },
  });
}
