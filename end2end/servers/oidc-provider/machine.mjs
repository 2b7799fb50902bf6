// Tokens for a signed assertion (RFC 7523), which the package does not have: the assertion is checked by its letter, the
// token is one of the package's own.
//   POST /machine/token    grant_type and assertion
//   GET  /machine/me       with such a token
import { generateKeyPairSync, verify } from "node:crypto";
import { readForm } from "./interactions.mjs";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** Seconds; longer ones are refused. */
const LONGEST = 300;

/** @param {string} client whose tokens they are */
export function createMachine(client) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const issuer = "machine@patchbay.example";
  /** @type {Record<string, any>[]} the claims of what was accepted */
  const accepted = [];
  return { client, issuer, publicKey, accepted, key: String(privateKey.export({ type: "pkcs8", format: "pem" })) };
}

/**
 * @param {import("oidc-provider").default} provider
 * @param {ReturnType<typeof createMachine>} machine
 * @param {string} audience the address of the token endpoint
 * @returns {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, url: URL) => Promise<boolean>}
 */
export function machines(provider, machine, audience) {
  const say = (response, status, said) => (response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(said)), true);
  return async (request, response, url) => {
    if (url.pathname === "/machine/me") {
      const [, token = ""] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
      const found = await provider.ClientCredentials.find(token);
      return found ? say(response, 200, { name: machine.issuer }) : say(response, 401, { error: "invalid_token" });
    }
    if (url.pathname !== "/machine/token" || request.method !== "POST") return false;
    const form = await readForm(request);
    const problem = form.get("grant_type") === GRANT_TYPE ? refuse(form.get("assertion") ?? "", machine, audience) : "unsupported_grant_type";
    if (problem) return say(response, 400, { error: problem === "unsupported_grant_type" ? problem : "invalid_grant", error_description: problem });
    const client = await provider.Client.find(machine.client);
    const token = new provider.ClientCredentials({ client, scope: "api:read" });
    return say(response, 200, { access_token: await token.save(), token_type: "Bearer", expires_in: token.expiration });
  };
}

/** Why an assertion is not taken (RFC 7523, section 3); nothing: it is. */
function refuse(assertion, machine, audience) {
  const [head, claims, signature] = assertion.split(".");
  if (!signature) return "it is no JWT";
  const parsed = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
  if (parsed(head).alg !== "RS256") return "the algorithm is not RS256";
  if (!verify("sha256", Buffer.from(`${head}.${claims}`), machine.publicKey, Buffer.from(signature, "base64url"))) return "the signature is wrong";
  const { iss, sub, aud, iat, exp, jti } = parsed(claims);
  const now = Date.now() / 1000;
  if (iss !== machine.issuer || !sub) return "issuer or subject is unknown";
  if (aud !== audience) return "it is for somebody else";
  if (!(exp > now) || exp > now + LONGEST || iat > now + 5) return "it has ended, or lasts too long";
  if (!jti || machine.accepted.some((one) => one.jti === jti)) return "it was used before";
  machine.accepted.push({ iss, sub, aud, iat, exp, jti });
  return undefined;
}
