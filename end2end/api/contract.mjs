// Asks the API what its own document promises, with requests that Schemathesis makes up: no answer is a server error, and
// none breaks the document. The same seed makes the same requests.
//   node end2end/api/contract.mjs [examples an operation]
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { python } from "../servers/process.mjs";
import { startApi } from "./server.mjs";

const examples = process.argv[2] ?? "15";
const SEED = "20261126";
// Whether a request that fits the document is carried out depends on the component and on what is there, which no schema
// can say: that is what the other tests are for.
const CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance", "response_schema_conformance", "negative_data_rejection", "unsupported_method", "ignored_auth"];
// Through the proxy the service answers, with whatever status it likes.
const api = await startApi();

async function ask(key, ...which) {
  const args = ["run", `${api.url}/api/v1/openapi.json`, "--header", `Authorization: Bearer ${key}`, "--checks", CHECKS.join(","), "--max-examples", examples, "--seed", SEED, "--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--request-timeout", "30", "--no-color", ...which];
  const child = spawn(join(dirname(python), "schemathesis"), args, { cwd: api.folder, stdio: "inherit" });
  const [code] = await once(child, "close");
  return code === 0;
}

let kept = false;
try {
  const withApiKey = await ask(api.key, "--exclude-tag", "embedding", "--exclude-path-regex", "^/api/v1/proxy/");
  const withInstanceKey = await ask(api.instanceKey, "--include-tag", "embedding");
  kept = withApiKey && withInstanceKey;
} finally {
  await api.stop();
}
process.exit(kept ? 0 : 1);
