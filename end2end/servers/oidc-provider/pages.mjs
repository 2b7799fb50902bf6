// The pages of the authorization server: plain, without scripts, and asking no other host for anything.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** @param {unknown} value */
export const escape = (value) => String(value).replace(/[&<>"']/g, (found) => ENTITIES[found]);

export function page(title, body) {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>body { font: 1rem/1.5 sans-serif; max-width: 26rem; margin: 3rem auto; padding: 0 1rem } button { font: inherit; margin: .2rem .4rem .2rem 0 }</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

/** @param {{ uid: string, users: string[], client: string }} details */
export function loginPage({ uid, users, client }) {
  const buttons = users.map((user) => `<button name="user" value="${escape(user)}">${escape(user)}</button>`).join("\n");
  return page("Sign in", `<p>to continue to ${escape(client)}</p>
<form method="post" action="/interaction/${escape(uid)}/login">
${buttons}
</form>
<form method="post" action="/interaction/${escape(uid)}/login">
<label>Another user <input name="user" type="email" required autocomplete="off"></label>
<button>Sign in</button>
</form>`);
}

/** @param {{ uid: string, user: string, client: string, scopes: string[] }} details */
export function consentPage({ uid, user, client, scopes }) {
  const boxes = scopes.map((scope) => `<li><label><input type="checkbox" name="scope" value="${escape(scope)}" checked> ${escape(scope)}</label></li>`);
  return page(`Allow ${client}?`, `<p>Signed in as <strong>${escape(user)}</strong>. <a href="/interaction/${escape(uid)}?switch">Use another account</a></p>
<form method="post" action="/interaction/${escape(uid)}/consent">
<ul>
${boxes.join("\n")}
</ul>
<button name="decision" value="allow">Allow</button>
<button name="decision" value="refuse">Refuse</button>
</form>`);
}

/** Pages that the package has made by functions of this form; its own ask a host for a font. */
export const sources = {
  async userCodeInputSource(ctx, form, out, error) {
    const trouble = error ? "<p role=\"alert\">This code is wrong, used or expired.</p>" : "";
    ctx.body = page("Connect a device", `${trouble}<p>Enter the code that your device shows.</p>
${form}
<button form="op.deviceInputForm">Continue</button>`);
  },
  async userCodeConfirmSource(ctx, form, client, info, userCode) {
    ctx.body = page("Confirm the device", `<p>${escape(client.clientName ?? client.clientId)} shows the code <strong>${escape(userCode)}</strong>.</p>
${form}
<button form="op.deviceConfirmForm">Continue</button>
<button form="op.deviceConfirmForm" name="abort" value="yes">Abort</button>`);
  },
  async successSource(ctx) {
    ctx.body = page("Device connected", "<p>You can close this window.</p>");
  },
  async renderError(ctx, out) {
    ctx.type = "html";
    const lines = Object.entries(out).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`);
    ctx.body = page("Something went wrong", `<dl>${lines.join("\n")}</dl>`);
  },
};
