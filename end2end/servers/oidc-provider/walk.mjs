// Signs in and consents without a browser: follows redirects, fills in the forms a person would, keeps the cookies.

/** @typedef {{ user: string, decision?: "allow" | "refuse", scopes?: string[] }} Person who sits at the keyboard; `scopes`: those allowed, else all */

const STEPS = 20;

/**
 * Walks from an authorization request to the redirect that ends it.
 * @param {string} origin of the authorization server
 * @param {string} address the authorization request, complete
 * @param {Person} person
 * @returns {Promise<{ location?: string, status: number, page?: string }>} the redirect to the client, or the page one is left with
 */
export async function authorize(origin, address, person) {
  return follow(visitor(origin), new URL(address, origin), person);
}

/**
 * Enters a device's code, and consents.
 * @param {string} origin
 * @param {string} userCode
 * @param {Person} person
 */
export async function approveDevice(origin, userCode, person) {
  const visit = visitor(origin);
  const entered = await visit(new URL("/device", origin));
  const hidden = hiddenFields(await entered.text());
  const confirmation = await visit(new URL("/device", origin), { ...hidden, user_code: userCode });
  const fields = hiddenFields(await confirmation.text());
  if (!fields.confirm) return { status: confirmation.status, page: "the code was not accepted" };
  const answer = await visit(new URL("/device", origin), fields);
  return follow(visit, new URL(answer.headers.get("location") ?? "/", origin), person);
}

/** A browser's part: one person's cookies, no automatic redirects. */
function visitor(origin) {
  /** @type {Map<string, string>} */
  const cookies = new Map();
  /** @param {URL} url @param {Record<string, string> | URLSearchParams} [form] */
  return async (url, form) => {
    const headers = { accept: "text/html", cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    const answer = await fetch(url, { method: form ? "POST" : "GET", body: form && new URLSearchParams(form), headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (!name) continue;
      if (value) cookies.set(name, value);
      else cookies.delete(name);
    }
    return answer;
  };
}

async function follow(visit, start, person) {
  let url = start;
  for (let step = 0; step < STEPS; step += 1) {
    if (url.origin !== start.origin) return { location: url.href, status: 303 };
    let answer = await visit(url);
    if (answer.status === 200 && url.pathname.startsWith("/interaction/")) {
      const fields = fill(await answer.text(), person);
      answer = await visit(fields.action(url), fields.form);
    }
    const location = answer.headers.get("location");
    if (!location) return { status: answer.status, page: await answer.text() };
    url = new URL(location, url);
  }
  throw new Error(`no end after ${STEPS} redirects; the last was to ${url.href}`);
}

/** What the person types and presses on this page. */
function fill(html, { user, decision = "allow", scopes }) {
  if (!html.includes('name="decision"')) {
    return { action: (url) => new URL(`${url.pathname}/login`, url), form: new URLSearchParams({ user }) };
  }
  const offered = [...html.matchAll(/name="scope" value="([^"]*)"/g)].map(([, scope]) => scope);
  const form = new URLSearchParams({ decision });
  for (const scope of offered) if (!scopes || scopes.includes(scope)) form.append("scope", scope);
  return { action: (url) => new URL(`${url.pathname}/consent`, url), form };
}

function hiddenFields(html) {
  return Object.fromEntries([...html.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}
