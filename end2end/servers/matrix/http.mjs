import { startHttpApi } from "../http-api.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function bearer() {
  const api = await startHttpApi();
  api.accept("right-token");
  return byHttp(api, {
    protocol: "HTTP API, by bearer token", server: "an API of our own on Node.js; TLS by a program in front of it",
    component: "http", method: "bearer", url: "base_url", path: "/bearer",
    config: { test_path: "/me" }, secrets: { token: "right-token" },
    changes: { "wrong password": { secrets: { token: "wrong" } } },
    left_out: { "wrong user": "A token stands for its user.", "missing permission": "What is permitted, every API tells in a way of its own." },
  });
}
