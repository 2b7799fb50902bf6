// Between the page that shows this frame and the module within: exact origins, one bearer in memory, no cookie, no storage.
const facts = JSON.parse(document.getElementById("facts").textContent);
const { workspace, view, allowedOrigins, publicUrl, base } = facts;
const PROTOCOL = 1;
/** What the page around wants to speak; this address is soon another. */
const version = Number(new URLSearchParams(location.search).get("v") ?? PROTOCOL);
const element = (id) => document.getElementById(id);
/** Kept at hand: the notice moves into a dialog, and leaves the document with it. */
const notice = Object.fromEntries(["state", "title", "words", "remedy", "again"].map((name) => [name, element(`embed-${name}`)]));
const root = document.documentElement;
/** The page above, once its first message has come from one of the allowed origins. */
let host;
/** `endsAt` and `performance.now()` tell time alike; the browser's clock may be wrong. */
let bearer, endsAt = 0, signedIn, leaving = false, started = false, loading = false, trading = false, greeted = false;
let settings = { view: {} };
let bad = 0, deafUntil = 0, renewal, wanted, refusedFor;

const post = (type, detail = {}) => {
  if (host) parent.postMessage({ patchbay: PROTOCOL, type, ...detail }, host);
};
/** PUT replaces all that a workspace has: look first. */
const allow = (origin) => `curl ${publicUrl.replace(/\/$/, "")}/api/v1/workspaces/${workspace} -H "authorization: Bearer $PATCHBAY_INSTANCE_KEY", `
  + `then PUT its name, allowed_origins, theme and settings there again, with "${origin}" added to allowed_origins`;

/** Requests that wait for another bearer. */
const waiting = [];
const release = () => waiting.splice(0).forEach((done) => done());

/** Of whoever was signed in before, nothing is sent any more. */
const unsent = () => new Response('"somebody_else"', { status: 401, headers: { "content-type": "application/json" } });

/** A bearer that ended while nobody looked, as in a machine that slept, is replaced and the request made once more. */
const ask = globalThis.fetch.bind(globalThis);
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init);
  const shown = request.headers.get("authorization");
  if (!shown) return ask(request);
  if (leaving) return unsent();
  const again = request.clone();
  const answer = await ask(request);
  if (answer.status !== 401) return answer;
  if (shown === `Bearer ${bearer}`) {
    await new Promise((done) => {
      waiting.push(done);
      setTimeout(done, 25_000);
      // What a person does asks the host anew; what the page does by itself asks once for each bearer.
      if (request.method === "POST") refusedFor = undefined;
      globalThis.patchbayFrame.refused();
    });
  }
  if (leaving) return unsent();
  if (shown === `Bearer ${bearer}`) return answer;
  again.headers.set("authorization", `Bearer ${bearer}`);
  return ask(again);
};

/** Says what is missing and the line that mends it: to the host, and here in words. */
function problem({ code, message, remedy }) {
  release();
  post("problem", { code, message, remedy, docs: "" });
  notice.title.hidden = notice.remedy.hidden = false;
  notice.title.textContent = leaving ? "Somebody else is signed in" : started ? "Your sign-in could not be renewed" : "Connections cannot be shown here";
  notice.words.textContent = started ? `${message} What you typed is still there.` : message;
  notice.words.setAttribute("role", "alert");
  notice.remedy.textContent = `For the engineers of this page (${code}): ${remedy}`;
  notice.again.hidden = !host;
  notice.state.hidden = false;
  notice.state.classList.toggle("bar", started);
  // One landmark of each kind: beside the page this is a region, and alone it is the page.
  notice.state.setAttribute("role", started ? "region" : "main");
  dock();
}

/** What another program said, with an end to it. */
const sentence = (text) => String(text).slice(0, 200).trim().replace(/[^.!?…]$/, "$&.");

/** A modal dialog makes all that is not within it inert: the notice goes where it can be seen and reached. */
function dock() {
  const home = [...document.querySelectorAll("dialog[open]")].pop() ?? document.body;
  if (notice.state.isConnected && (notice.state.hidden || notice.state.parentElement === home)) return;
  home.append(notice.state);
}

function want(reason) {
  if (wanted) return;
  wanted = setTimeout(() => {
    wanted = undefined;
    problem({ code: started ? "renewal_failed" : "no_ticket", message: "The page has given no ticket.",
      remedy: "getTicket must return the ticket that POST /api/v1/embed/sessions answered with, within 20 s" });
  }, 25_000);
  post("ticket-wanted", { reason });
}

async function trade(ticket) {
  if (trading || leaving) return;
  trading = true;
  clearTimeout(wanted);
  wanted = undefined;
  try {
    const answer = await fetch(`${base}/embed/token`, {
      method: "POST", credentials: "omit", headers: { "content-type": "application/json" }, body: JSON.stringify({ ticket, origin: host }),
    });
    const told = await answer.json();
    if (!answer.ok) return problem(told);
    if (told.workspace.id !== workspace) {
      return problem({ code: "no_ticket", message: "This ticket was made for another workspace.", remedy: `ask POST /api/v1/embed/sessions for one with "workspace": "${workspace}"` });
    }
    const now = JSON.stringify([told.user.id, told.role, told.environments]);
    if (started && now !== signedIn) return another();
    signedIn = now;
    bearer = told.token;
    endsAt = performance.now() + told.expires_in * 1_000;
    release();
    clearTimeout(renewal);
    // A minute before its end; the host gets as long as that to answer.
    renewal = setTimeout(want, Math.max(60_000, told.expires_in * 1_000 - 60_000), "renewal");
    notice.state.hidden = true;
    post("signed-in", { workspace: told.workspace, user: told.user, role: told.role, environments: told.environments, expiresAt: told.expires_at });
    await start(told);
  } catch {
    problem({ code: started ? "renewal_failed" : "unavailable", message: "Patchbay does not answer.", remedy: `check that ${publicUrl} is running and reachable from this browser` });
  } finally {
    trading = false;
  }
}

/** What is shown is of somebody else, or of another role, and none of it may stay. What is typed is lost only knowingly. */
function another() {
  leaving = true;
  bearer = "";
  clearTimeout(renewal);
  release();
  if (!document.querySelector("dialog[open] form")) return location.reload();
  problem({ code: "user_changed", message: "Nothing more is sent for whoever was signed in before. Copy what you need, then try again to begin anew.", remedy: "close the frame when the user changes, and mount another" });
}

/** How what a page has to name is given. */
const REMEDY = {
  connection: "give `connection`, the id that `picked` or `created` told, and a ticket for its environment and for somebody who sees it",
  component: "give `component`, an id that GET /api/v1/components lists",
};

async function start(told) {
  if (started || loading) return;
  const forbidden = /^(create|reconnect)$/.test(view) && told.role === "viewer";
  if (forbidden) {
    return problem({ code: "role_insufficient", message: "You may look at connections here, but not change them.", remedy: 'ask POST /api/v1/embed/sessions for a ticket with "role": "editor"' });
  }
  const { connection, component } = settings.view ?? {};
  if (view === "reconnect" && !/^con_[0-9a-f]{32}$/.test(connection)) {
    return problem({ code: "connection_missing", message: connection ? "The page names what is no connection's id." : "The page does not say which connection to reconnect.", remedy: REMEDY.connection });
  }
  if (view === "component" && !component) {
    return problem({ code: "component_missing", message: "The page does not say which component to show.", remedy: REMEDY.component });
  }
  loading = true;
  const { environments } = told;
  const chosen = environments.includes(settings.environment) ? settings.environment : environments[0];
  history.replaceState(null, "", address(chosen));
  try {
    const module = await import(facts.js);
    await module.default({ module_or_path: facts.wasm });
    started = true;
    notice.state.hidden = true;
    module.embed();
    measure();
  } catch (error) {
    console.error(error);
    loading = false;
    problem({ code: "wasm_blocked", message: "The page could not start in this browser: WebAssembly is blocked or failed to load.", remedy: "allow WebAssembly in this browser; behind a proxy, let *.wasm through as application/wasm" });
  }
}

/** The frame's own address says what is shown; nothing of it is secret. */
function address(environment) {
  const { component, tags, status, q } = { ...settings.filters, ...(settings.view?.component ? { component: settings.view.component } : {}) };
  const query = new URLSearchParams({ env: environment });
  for (const [key, value] of Object.entries({ component, status, q })) if (value) query.set(key, String(value));
  for (const tag of Array.isArray(tags) ? tags : tags ? [tags] : []) query.append("tag", String(tag));
  return `${base}/embed/${workspace}/${view}?${query}`;
}

function show(environment) {
  if (!started) return;
  const now = new URLSearchParams(location.search).get("env");
  history.replaceState(null, "", address(environment ?? now));
  dispatchEvent(new PopStateEvent("popstate"));
}

const FONT = /^[\p{L}\p{N} ,\-_'"]{1,200}$/u;
function dress(theme = {}) {
  const { scheme, accent, radius, font } = { ...facts.theme, ...theme };
  if (scheme === "light" || scheme === "dark") root.dataset.theme = scheme;
  else delete root.dataset.theme;
  const set = (name, value) => (value ? root.style.setProperty(name, value) : root.style.removeProperty(name));
  // The host's hue, as light or dark as its text can be read on.
  const tint = /^#[0-9a-f]{6}$/i.test(accent ?? "") ? accent : undefined;
  set("--accent", tint && `light-dark(oklch(from ${tint} min(l, 0.54) c h), oklch(from ${tint} max(l, 0.7) c h))`);
  set("--accent-soft", tint && `light-dark(oklch(from ${tint} 0.955 min(c, 0.03) h), oklch(from ${tint} 0.29 min(c, 0.06) h))`);
  const round = Number.isFinite(radius) && radius >= 0 && radius <= 16;
  set("--radius", round && `${radius}px`);
  set("--radius-s", round && `${Math.max(0, radius - 2)}px`);
  set("--font", font && font !== "system" && FONT.test(font) && font);
}

function configure(message) {
  const before = settings;
  const known = Object.fromEntries(Object.entries(message).filter(([key]) => !/^(patchbay|type)$/.test(key)));
  // The whole of what the host has set: what is missing is set no more.
  settings = { view: {}, ...known };
  dress(settings.theme);
  root.toggleAttribute("data-grow", settings.sizing === "grow");
  const differs = (key) => JSON.stringify(before[key]) !== JSON.stringify(settings[key]);
  if (differs("environment")) show(settings.environment);
  else if (differs("filters")) show();
  measure();
  if (!greeted && !bearer) {
    greeted = true;
    if (version === PROTOCOL) want("start");
    else problem({ code: "version_unsupported", message: "This page speaks another version with Patchbay than this one does.", remedy: `load the SDK from ${publicUrl.replace(/\/$/, "")}/sdk/v1/patchbay.js` });
  }
}

const HEARD = {
  configure,
  ticket: ({ ticket }) => (typeof ticket === "string" ? trade(ticket) : malformed()),
  "ticket-failed": ({ message }) => {
    clearTimeout(wanted);
    wanted = undefined;
    problem({ code: started ? "renewal_failed" : "no_ticket", message: `The page could not get a ticket: ${sentence(message)}`, remedy: "see the error above; getTicket must return a new ticket each time" });
  },
  filters: ({ component, tags, status, q }) => ((settings.filters = { component, tags, status, q }), show()),
  environment: ({ environment }) => ((settings.environment = environment), show(environment)),
  close: () => {
    const open = [...document.querySelectorAll("dialog[open]")].pop();
    const button = open?.querySelector(".dialog-close");
    button ? button.click() : post("cancelled");
  },
  overlay: ({ open, box }) => place(open ? box : undefined),
};

function malformed() {
  // Ten thousand pieces of garbage cost nothing: after a hundred nobody listens for a second.
  if (++bad >= 100) (bad = 0), (deafUntil = performance.now() + 1_000);
}

addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || performance.now() < deafUntil) return;
  if (!allowedOrigins.includes(origin) || (host && origin !== host)) return malformed();
  if (data?.patchbay !== PROTOCOL || typeof data.type !== "string") return malformed();
  if (!Object.hasOwn(HEARD, data.type)) return;
  host = origin;
  try {
    HEARD[data.type](data);
  } catch {
    malformed();
  }
});

/** Until somebody answers: each allowed origin is greeted, and only the one that is there hears it. */
function greet(wait) {
  if (host) return;
  for (const origin of allowedOrigins) parent.postMessage({ patchbay: PROTOCOL, type: "ready", view, version: PROTOCOL }, origin);
  setTimeout(greet, wait[0], wait.length > 1 ? wait.slice(1) : wait);
}

/** Where the frame stood before the host enlarged it: what is no dialog stays there. */
function place(box) {
  const set = (name, value) => (value === undefined ? root.style.removeProperty(name) : root.style.setProperty(name, `${value}px`));
  root.toggleAttribute("data-over", Boolean(box));
  for (const side of ["top", "left", "width", "height"]) set(`--box-${side}`, Number.isFinite(box?.[side]) ? box[side] : undefined);
  measureSoon();
}

/** How far what an element holds reaches below its upper edge, though it scrolls. */
function reach(element) {
  const ends = [...element.children].filter((child) => child.checkVisibility()).map((child) => child.getBoundingClientRect().bottom);
  const top = element.getBoundingClientRect().top;
  return Math.max(top, ...ends) - top + element.scrollTop + parseFloat(getComputedStyle(element).paddingBottom);
}

/** How high a dialog would be if its parts did not scroll. */
function dialogHeight(box) {
  const bodies = [...box.querySelectorAll(".dialog-body")].filter((body) => body.checkVisibility());
  return bodies.reduce((sum, body) => sum + reach(body) - body.getBoundingClientRect().height, box.getBoundingClientRect().height);
}

/** How high the page would be: its list, and the filters where they stand beside it. */
function pageHeight() {
  const [list, side] = [document.querySelector(".page .list"), document.querySelector(".page .side")];
  if (!list) return notice.state.offsetHeight;
  return Math.max(list.offsetTop + reach(list) + 1, side?.checkVisibility() ? side.offsetTop + reach(side) : 0);
}

/** What there is when the view stands, with a way out of its own where it is a dialog. */
const STANDS = /^(picker|create|reconnect)$/.test(view) ? "dialog[open]" : ".page .list";
let told = 0, overlaid = false, stands = false;
function measure() {
  if (!stands && document.querySelector(STANDS)) {
    stands = true;
    post("shown", {});
  }
  // Beside the host's own landmarks, these need names.
  document.querySelector("main.list:not([aria-label])")?.setAttribute("aria-label", "Connections");
  document.querySelector(".page > header:not([aria-label])")?.setAttribute("aria-label", "Connections");
  if (settings.sizing === "grow" && !root.hasAttribute("data-over")) {
    const dialog = document.querySelector("dialog[open] .dialog-box");
    const most = Number.isFinite(settings.maxHeight) ? settings.maxHeight : 800;
    const height = Math.ceil(Math.min(most, Math.max(pageHeight(), dialog ? dialogHeight(dialog) + 50 : 0, 160)));
    if (height !== told) post("size", { height: (told = height) });
  }
  const open = Boolean(document.querySelector(".page dialog[open]"));
  if (settings.overlay && open !== overlaid) post("overlay", { open: (overlaid = open) });
}
let due = false;
function measureSoon() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => ((due = false), measure()));
}
// Other widths break lines elsewhere.
addEventListener("resize", measureSoon);
new MutationObserver(() => (dock(), measureSoon())).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["open", "hidden"] });

/** What the module asks for and tells. */
let answered = false;
globalThis.patchbayFrame = {
  get token() {
    return bearer;
  },
  get component() {
    return view === "connections" ? undefined : settings.view?.component;
  },
  get connection() {
    return settings.view?.connection;
  },
  base, view, pages: `${base}/embed/${workspace}/${view}`,
  /** The server knows the bearer no more. */
  refused() {
    if (leaving) return;
    // Once for each bearer: a host whose tickets are worth nothing is not asked for ever.
    if (refusedFor === bearer) return;
    refusedFor = bearer;
    want("refused");
  },
  tell(kind, json, workflows) {
    const connection = JSON.parse(json);
    if (kind === "picked") return post("picked", { connection }), (answered = true);
    post("changed", { kind: kind === "reconnected" ? "updated" : kind, connection, ...(workflows && { workflows: JSON.parse(workflows) }) });
    const answers = { create: { created: ["created"] }, picker: { created: ["created", "picked"] }, reconnect: { reconnected: ["reconnected"] } };
    for (const type of answers[view]?.[kind] ?? []) {
      post(type, { connection });
      answered = true;
    }
  },
  /** What the page named is not there; the person is told so by what is shown, the host here. */
  lacks(kind) {
    post("problem", { code: `${kind}_missing`, message: `There is no such ${kind} here.`, remedy: REMEDY[kind], docs: "" });
  },
  /** The one dialog of this view was closed; whatever it made is told within the same turn. */
  closed() {
    answered = false;
    setTimeout(() => answered || post("cancelled"));
  },
  popupBlocked: () => post("problem", { code: "popup_blocked", message: "The browser did not open the window to sign in.", remedy: 'the iframe needs sandbox="allow-popups allow-popups-to-escape-sandbox"', docs: "" }),
};

// Whoever is leaving was asked, or must not stay: what asks before typed things are lost is added later.
addEventListener("beforeunload", (event) => leaving && event.stopImmediatePropagation(), true);
notice.again.addEventListener("click", () => {
  if (leaving) return location.reload();
  notice.state.hidden = started;
  notice.words.textContent = "Connecting …";
  notice.remedy.hidden = notice.title.hidden = notice.again.hidden = true;
  want(started ? "renewal" : "start");
});
addEventListener("visibilitychange", () => {
  if (bearer && !document.hidden && performance.now() > endsAt - 60_000) want("renewal");
});

dress();
if (parent === window) {
  problem({ code: "no_ticket", message: `This page of the workspace “${workspace}” is made to be shown inside another one.`, remedy: `put it into your page with ${publicUrl.replace(/\/$/, "")}/sdk/v1/patchbay.js: mount(element, { url, workspace, getTicket })` });
} else if (allowedOrigins.length === 0) {
  problem({ code: "origin_not_allowed", message: "No page may embed this workspace yet.", remedy: allow(document.referrer ? new URL(document.referrer).origin : "https://app.example.com") });
} else {
  greet([250, 750, 1_000, 2_000]);
  setTimeout(() => {
    if (!host) problem({ code: "no_ticket", message: "The page that shows this frame does not answer.", remedy: "load sdk/v1/patchbay.js there and call mount(element, { url, workspace, getTicket })" });
  }, 10_000);
}
