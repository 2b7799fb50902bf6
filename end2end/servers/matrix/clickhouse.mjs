import { startAsDocumented } from "../as-documented.mjs";
import { byHttp } from "../matrix-entries.mjs";

export default async function clickhouse() {
  const server = await startAsDocumented("clickhouse");
  return byHttp(server, {
    protocol: "ClickHouse", server: "a server of our own that answers as ClickHouse's documentation says; TLS by a program in front of it",
    component: "clickhouse", method: "password", url: "url",
    config: { user: server.user }, secrets: { password: server.password },
    changes: { "wrong password": { secrets: { password: "wrong" } }, "wrong user": { config: { user: "nobody" } } },
    left_out: { "missing permission": "Whoever may sign in may ask for the own name." },
  });
}
