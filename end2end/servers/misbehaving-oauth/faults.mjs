// Ways to answer badly. `processed`: the request is carried out first (the code or refresh token is used up), and what
// follows happens to its answer; otherwise the request does nothing.
import { setTimeout as sleep } from "node:timers/promises";

/**
 * @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer
 * @typedef {object} Context
 * @property {import("node:http").ServerResponse} response
 * @property {Answer} answer what would have been answered; only for faults that are `processed`
 * @property {number} delay milliseconds, for `slow`
 * @property {string} elsewhere an address on another host
 * @property {() => void} endFamily
 *
 * @typedef {object} Fault
 * @property {string} about
 * @property {"transient" | "invalid_grant" | "invalid_client"} verdict
 * @property {boolean} [processed]
 * @property {number} [retryAfter] seconds
 * @property {(context: Context) => unknown} run
 */

const HTML = { "content-type": "text/html; charset=utf-8" };
const JSON_TYPE = { "content-type": "application/json" };
const PAGE = "<!DOCTYPE html><title>Oops</title><h1>We are having a moment</h1><script>alert('from the provider')</script>";
const FIVE_MEGABYTES = 5 * 1024 * 1024;
const RETRY_AFTER = 7;

const say = (status, headers, body) => (/** @type {Context} */ { response }) => response.writeHead(status, headers).end(body);
const sayJson = (status, body, headers = {}) => say(status, { ...JSON_TYPE, ...headers }, JSON.stringify(body));

/** @type {Record<string, Fault>} */
export const faults = {
  "html-200": { about: "A page instead of JSON, with status 200.", verdict: "transient", run: say(200, HTML, PAGE) },
  "html-500": { about: "An error page with status 500.", verdict: "transient", run: say(500, HTML, PAGE) },
  "unavailable": { about: "Status 503 and plain text.", verdict: "transient", run: say(503, { "content-type": "text/plain" }, "Service Unavailable") },
  "rate-limited": { about: "Status 429 with Retry-After in seconds.", verdict: "transient", retryAfter: RETRY_AFTER, run: sayJson(429, { error: "rate_limited" }, { "retry-after": String(RETRY_AFTER) }) },
  "rate-limited-date": {
    about: "Status 429 with Retry-After as a date.", verdict: "transient", retryAfter: RETRY_AFTER,
    run: ({ response }) => response.writeHead(429, { ...JSON_TYPE, "retry-after": new Date(Date.now() + RETRY_AFTER * 1000).toUTCString() }).end("{}"),
  },
  "temporarily-unavailable": { about: "Status 400 and the error temporarily_unavailable.", verdict: "transient", run: sayJson(400, { error: "temporarily_unavailable" }) },
  "server-error": { about: "Status 400 and the error server_error.", verdict: "transient", run: sayJson(400, { error: "server_error" }) },
  "invalid-grant": { about: "The grant has ended.", verdict: "invalid_grant", run: (context) => (context.endFamily(), sayJson(400, { error: "invalid_grant", error_description: "The grant has ended." })(context)) },
  "invalid-grant-200": { about: "The grant has ended, said with status 200.", verdict: "invalid_grant", run: (context) => (context.endFamily(), sayJson(200, { error: "invalid_grant", error_description: "The grant has ended." })(context)) },
  "invalid-client": { about: "The client's secret is no longer right.", verdict: "invalid_client", run: sayJson(401, { error: "invalid_client" }, { "www-authenticate": 'Basic realm="token"' }) },
  "garbage": { about: "Bytes that are no JSON and no UTF-8.", verdict: "transient", run: say(200, JSON_TYPE, Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0xc3, 0x28])) },
  "deep": { about: "JSON that is nested 100,000 levels deep.", verdict: "transient", run: say(200, JSON_TYPE, "[".repeat(100_000)) },
  "empty": { about: "JSON without a token.", verdict: "transient", run: sayJson(200, {}) },
  "redirected": { about: "A redirect of the request to another host, which a client must not follow.", verdict: "transient", run: ({ response, elsewhere }) => response.writeHead(307, { location: elsewhere }).end() },
  "reset": { about: "The connection is reset before anything is done.", verdict: "transient", run: reset },
  "crash": { about: "All is done, then the connection is reset.", verdict: "transient", processed: true, run: reset },
  "huge": {
    about: "The answer, 5 MB long.", verdict: "transient", processed: true,
    run: ({ response, answer }) => response.writeHead(answer.status, answer.headers).end(`${answer.body.slice(0, -1)},"padding":"${"x".repeat(FIVE_MEGABYTES)}"}`),
  },
  "endless": {
    about: "An answer without an end.", verdict: "transient", processed: true,
    run: ({ response, answer }) => pour(response.writeHead(answer.status, answer.headers)),
  },
  "slow": {
    about: "The answer, a minute late (setting delay_ms).", verdict: "transient", processed: true,
    async run({ response, answer, delay }) {
      const left = new AbortController();
      response.on("close", () => left.abort());
      await sleep(delay, undefined, { signal: left.signal }).catch(() => {});
      if (!response.destroyed) send(response, answer);
    },
  },
  "hangs": {
    about: "The head of the answer, and never its body.", verdict: "transient", processed: true,
    run: ({ response, answer }) => response.writeHead(answer.status, { ...answer.headers, "content-length": String(Buffer.byteLength(answer.body)) }).flushHeaders(),
  },
  "truncated": {
    about: "The first half of the JSON.", verdict: "transient", processed: true,
    run: ({ response, answer }) => response.writeHead(answer.status, answer.headers).end(half(answer.body)),
  },
  "cut": {
    about: "The connection is reset in the middle of the body.", verdict: "transient", processed: true,
    run({ response, answer }) {
      response.writeHead(answer.status, { ...answer.headers, "content-length": String(Buffer.byteLength(answer.body)) });
      response.write(half(answer.body), () => reset({ response }));
    },
  },
};

/** @param {import("node:http").ServerResponse} response @param {Answer} answer */
export const send = (response, { status, headers, body }) => void response.writeHead(status, headers).end(body);

export const asForm = (json) => new URLSearchParams(Object.entries(JSON.parse(json)).map(([name, value]) => [name, String(value)])).toString();

const half = (text) => text.slice(0, Math.floor(text.length / 2));

function reset({ response }) {
  response.socket?.resetAndDestroy();
}

// As fast as the client reads it.
function pour(response) {
  const chunk = Buffer.alloc(64 * 1024, " ");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  response.write("{");
  more();
}
