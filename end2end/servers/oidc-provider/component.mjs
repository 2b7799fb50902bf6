// The authorization server as a service of its own in the catalog: with a client for everybody, a device's code, and
// clients that are made by request.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const PLACES = /** @type {const} */ (["authorization", "token", "device", "registration", "revocation"]);

/**
 * Writes the component `example-accounts` ("Example Accounts").
 * @param {string} folder of the catalog
 * @param {{ issuer: string, endpoints: Record<string, string> }} provider
 */
export function writeComponent(folder, { issuer, endpoints }) {
  const addresses = { ...Object.fromEntries(PLACES.map((name) => [`${name}_url`, endpoints[name]])), base_url: issuer };
  const fields = Object.entries(addresses).map(([id, address]) => `
[[methods.fields]]
id = "${id}"
label = "${id.replaceAll("_", " ")}"
kind = "url"
plain_http = true
destination = true
help = "Filled in by the test."
default = "${address}"
`);
  writeFileSync(join(folder, "example-accounts.toml"), `slug = "example-accounts"
name = "Example Accounts"
category = "Test"
homepage = "https://openid.net"

[[sources]]
url = "https://www.rfc-editor.org/rfc/rfc8628"
read = "2026-11-25"

[[methods]]
id = "oauth"
label = "Sign in"
kind = "authorization_code"
intro = "For a test."
${fields.join("")}
[methods.oauth]
authorize_url = "{authorization_url}"
token_url = "{token_url}"
device_url = "{device_url}"
registration_url = "{registration_url}"
revoke = { url = "{revocation_url}" }
scopes = [
    { scope = "openid", allows = "See who you are", silent = true },
    { scope = "email", allows = "See your email address" },
]

[methods.service]
protocol = "http"
base_url = "{base_url}"
headers = { authorization = "Bearer {access_token}" }

[[methods.service.probes]]
path = "/me"
identity = "{/email}"

[[methods.service.probes.outcomes]]
verdict = "valid"
status = [200]

[[methods.service.probes.outcomes]]
verdict = "rejected"
status = [401]
message = "Example Accounts no longer accepts this access (status 401). Reconnect the account."
`);
}

/**
 * Writes the component `example-machines` ("Example Machines"), which signs assertions.
 * @param {string} folder of the catalog
 * @param {{ issuer: string, endpoints: Record<string, string> }} provider
 */
export function writeMachineComponent(folder, { issuer, endpoints }) {
  const address = (id, at) => `
[[methods.fields]]
id = "${id}"
label = "${id.replaceAll("_", " ")}"
kind = "url"
plain_http = true
destination = true
help = "Filled in by the test."
default = "${at}"
`;
  writeFileSync(join(folder, "example-machines.toml"), `slug = "example-machines"
name = "Example Machines"
category = "Test"
homepage = "https://openid.net"

[[sources]]
url = "https://www.rfc-editor.org/rfc/rfc7523"
read = "2026-11-25"

[[methods]]
id = "key"
label = "Key"
kind = "jwt"
intro = "For a test."

[[methods.fields]]
id = "key"
label = "Private key"
kind = "multiline"
secret = true
max_length = 16384
help = "As PEM."

[[methods.fields]]
id = "issuer"
label = "Issuer"
help = "Who signs."
${address("token_url", endpoints.machine)}${address("base_url", issuer)}
[methods.oauth]
token_url = "{token_url}"
scopes = []

[methods.service]
protocol = "http"
base_url = "{base_url}"
headers = { authorization = "Bearer {access_token}" }

[[methods.service.probes]]
path = "/machine/me"
identity = "{/name}"

[[methods.service.probes.outcomes]]
verdict = "valid"
status = [200]

[[methods.service.probes.outcomes]]
verdict = "rejected"
status = [401]
message = "Example Machines does not accept the token (status 401). Check the key."
`);
}
