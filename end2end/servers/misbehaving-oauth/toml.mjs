// Writes the scenarios as TOML, for the tests in Rust.
//   node end2end/servers/misbehaving-oauth/toml.mjs            writes scenarios.toml; a test compares
//   node end2end/servers/misbehaving-oauth/toml.mjs FOLDER ORIGIN    writes a component file a scenario
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CLIENT } from "./scenario.mjs";
import { scenarios } from "./scenarios.mjs";

export const SCENARIOS = fileURLToPath(new URL("scenarios.toml", import.meta.url));

const key = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name));
const entries = (object) => Object.entries(object).filter(([, value]) => value !== undefined);

function value(of) {
  if (Array.isArray(of)) return `[${of.map(value).join(", ")}]`;
  if (of && typeof of === "object") {
    const inside = entries(of).map(([name, one]) => `${key(name)} = ${value(one)}`).join(", ");
    return inside ? `{ ${inside} }` : "{}";
  }
  return JSON.stringify(of);
}

const lines = (object) => entries(object).map(([name, one]) => `${key(name)} = ${value(one)}\n`).join("");

const HEAD = `# Written by end2end/servers/misbehaving-oauth/toml.mjs: do not edit.
#
# What the misbehaving OAuth server does, and how it has to end. Its origin is in PATCHBAY_TEST_MISBEHAVING_OAUTH.
# addresses   paths below that origin; each stands in [scenarios.oauth] as a field of this name: "{token_url}".
#             "plain~a" in the place of "plain" in all of them is a copy with a state of its own.
# oauth       the catalog's section of such a provider
# exchange    how connecting ends:
#   connected
#   refused           the redirect says access_denied
#   provider_error    the redirect says another error, or neither code nor error
#   no_return         the provider shows a page of its own and never redirects
#   state_wrong, issuer_wrong, issuer_missing     the redirect is not taken, and no token is asked for
#   invalid_grant, invalid_client                 the token endpoint refuses for good
#   transient         the token endpoint or the look-up is in trouble: nothing is proved
#   capture_missing, capture_refused              a value needed later is not told, or names a host it may not
# refresh     how one refresh after the other ends, each with the tokens then held: renewed, unchanged (no new token, all
#             well), transient, invalid_grant, invalid_client. Empty: there is nothing to refresh by.
# revoke      how revoking ends after connecting: revoked, transient. Left out: there is no endpoint.
# expect      after connecting: lifetime in seconds (left out: not told), scopes granted, captured values that are not
#             secret; after the refreshes: refresh_token new, kept or none; retry_after in seconds at the fault.
`;

export function scenariosToml() {
  const tables = scenarios.map(({ name, row, about, addresses, exchange, refresh, revoke, expect, oauth }) =>
    `\n[[scenarios]]\n${lines({ name, row, about, exchange, refresh, revoke, expect, addresses })}\n[scenarios.oauth]\n${lines(oauth)}`);
  return `${HEAD}\nclient_id = ${value(CLIENT.id)}\nclient_secret = ${value(CLIENT.secret)}\n${tables.join("")}`;
}

/** The component `misbehaving-NAME`: its addresses are fields, filled in for this origin. @param {string} origin */
export function componentFile({ name, about, addresses, oauth }, origin) {
  const fields = Object.entries(addresses).map(([id, path]) =>
    `\n[[methods.fields]]\n${lines({ id, label: id.replaceAll("_", " "), kind: "url", plain_http: true, destination: true, help: "Filled in by the test.", default: `${origin}${path}` })}`);
  return `${lines({ slug: `misbehaving-${name}`, name: `Misbehaving: ${name}`, category: "Test", homepage: "https://www.rfc-editor.org/rfc/rfc6749" })}
[[sources]]
url = "https://www.rfc-editor.org/rfc/rfc6749"
read = "2026-11-25"

[[methods]]
${lines({ id: "oauth", label: "Sign in", kind: "authorization_code", intro: about })}${fields.join("")}
[methods.oauth]
${lines(oauth)}
[methods.service]
protocol = "http"
base_url = "{base_url}"
headers = { authorization = "Bearer {access_token}" }

[[methods.service.probes]]
path = "/me"
identity = "{/login}"

[[methods.service.probes.outcomes]]
verdict = "valid"
status = [200]

[[methods.service.probes.outcomes]]
verdict = "rejected"
status = [401]
message = "The service no longer accepts this access ({/error}). Reconnect the account."
`;
}

/** A component file for each scenario. @param {string} folder @param {string} origin */
export function writeCatalog(folder, origin) {
  mkdirSync(folder, { recursive: true });
  for (const one of scenarios) writeFileSync(join(folder, `misbehaving-${one.name}.toml`), componentFile(one, origin));
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, origin] = process.argv.slice(2);
  if (folder && origin) writeCatalog(folder, origin);
  else writeFileSync(SCENARIOS, scenariosToml());
}
