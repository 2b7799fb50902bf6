import { startAsDocumented } from "../as-documented.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function opensearch() {
  const server = await startAsDocumented("opensearch");
  return byHttp(server, {
    protocol: "OpenSearch", server: "a server of our own that answers as OpenSearch's documentation says; TLS by a program in front of it",
    component: "opensearch", method: "basic", url: "url",
    config: { username: server.user }, secrets: { password: server.password },
    changes: { "wrong password": { secrets: { password: "wrong" } }, "wrong user": { config: { username: "nobody" } } },
    left_out: { "missing permission": "The check asks for no privilege at all." },
  });
}
