// Signing in and consenting: the pages a person sees between the authorization request and its answer.
//   GET  /interaction/UID            the page; with `?switch` the one for signing in as someone else
//   POST /interaction/UID/login      user=alice@example.com
//   POST /interaction/UID/consent    decision=allow or refuse, scope=... once for each scope that is allowed
import { consentPage, loginPage, page } from "./pages.mjs";

/** Granted with the rest: a person is not asked about them. */
const UNASKED = new Set(["openid", "offline_access"]);

/**
 * @param {import("oidc-provider").default} provider
 * @param {{ users: string[] }} options
 * @returns {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, url: URL) => Promise<boolean>}
 *   whether the request was one of these
 */
export function interactions(provider, { users }) {
  return async (request, response, url) => {
    const [, uid, step] = /^\/interaction\/([^/]+)(?:\/(login|consent))?$/.exec(url.pathname) ?? [];
    if (!uid) return false;
    let details;
    try {
      details = await provider.interactionDetails(request, response);
    } catch (error) {
      send(response, 400, page("This page has expired", "<p>Begin again where you came from.</p>"));
      return true;
    }
    if (request.method === "POST" && step) {
      const form = await readForm(request);
      const result = step === "login" ? login(form) : await consent(provider, details, form);
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: step === "consent" });
      return true;
    }
    const client = await provider.Client.find(String(details.params.client_id));
    const about = { uid, client: String(client?.clientName ?? details.params.client_id) };
    const html = details.prompt.name === "login" || url.searchParams.has("switch")
      ? loginPage({ ...about, users })
      : consentPage({ ...about, user: String(details.session?.accountId), scopes: asked(details).filter((scope) => !UNASKED.has(scope)) });
    send(response, 200, html);
    return true;
  };
}

const asked = (details) => String(details.params.scope ?? "").split(" ").filter(Boolean);

function login(form) {
  const user = form.get("user")?.trim();
  return user ? { login: { accountId: user } } : { error: "access_denied", error_description: "nobody signed in" };
}

/** Each consent is a grant of its own, so that ending one connection leaves another one of the same person alone. */
async function consent(provider, details, form) {
  if (form.get("decision") !== "allow") {
    return { error: "access_denied", error_description: "The user refused." };
  }
  const chosen = new Set(form.getAll("scope"));
  const grant = new provider.Grant({ accountId: details.session.accountId, clientId: details.params.client_id });
  for (const scope of asked(details)) {
    if (UNASKED.has(scope) || chosen.has(scope)) grant.addOIDCScope(scope);
    else grant.rejectOIDCScope(scope);
  }
  return { consent: { grantId: await grant.save() } };
}

function send(response, status, html) {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }).end(html);
}

/** @param {import("node:http").IncomingMessage} request */
export async function readForm(request) {
  const text = await readText(request);
  if (!request.headers["content-type"]?.startsWith("application/json")) return new URLSearchParams(text);
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(JSON.parse(text || "{}"))) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one));
  }
  return form;
}

async function readText(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}
