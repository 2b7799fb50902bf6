import { startAsDocumented } from "../as-documented.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function elasticsearch() {
  const server = await startAsDocumented("elasticsearch");
  return byHttp(server, {
    protocol: "Elasticsearch", server: "a server of our own that answers as Elasticsearch's documentation says; TLS by a program in front of it",
    component: "elasticsearch", method: "basic", url: "url",
    config: { username: server.user }, secrets: { password: server.password },
    changes: { "wrong password": { secrets: { password: "wrong" } }, "wrong user": { config: { username: "nobody" } } },
    left_out: { "missing permission": "The check asks for no privilege at all." },
  });
}
