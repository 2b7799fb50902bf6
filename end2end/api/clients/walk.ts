// What docs/api.md shows, by a client that openapi-typescript made: create, list, test, fetch the credentials, delete.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

declare const process: { env: Record<string, string> };
const { PATCHBAY_URL: baseUrl, PATCHBAY_API_KEY: key, SERVICE_URL: service } = process.env;
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

function had<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const values = { base_url: service, token: "right-token", test_path: "/me" };
const made = had(
  await api.POST("/api/v1/connections", {
    params: { header: { "Idempotency-Key": "walk-ts" } },
    body: { environment: "development", component: "http", method: "bearer", name: "Rates", tags: ["billing"], values },
  }),
);
const path = { id: made.id };
const list = had(await api.GET("/api/v1/connections", { params: { query: { environment: "development", q: "ra" } } }));
const tested = had(await api.POST("/api/v1/connections/{id}/test", { params: { path } }));
const fetched = had(await api.POST("/api/v1/connections/{id}/credentials", { params: { path }, body: { form: "request" } }));
const wrong = await api.GET("/api/v1/connections", { params: { query: { environment: "development", cursor: "?" } } });
const gone = await api.DELETE("/api/v1/connections/{id}", { params: { path } });

console.log(
  JSON.stringify({
    status: made.status,
    listed: list.items.map((item) => item.name),
    tested: tested.connection.status,
    authorization: fetched.request?.headers.authorization,
    problem: wrong.error?.type,
    deleted: gone.response.status,
  }),
);
