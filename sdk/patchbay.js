// Patchbay inside another product: puts its pages into a frame, and speaks with them. No dependencies.
// What each option and message means stands in patchbay.d.ts and docs/embedding.md.

/** @typedef {import("./patchbay.d.ts").Options} Options */
/** @typedef {import("./patchbay.d.ts").Connection} Connection */

/** Version of the messages. */
const PROTOCOL = 1;
const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";
const TITLES = {
  connections: "Connections", component: "Connections", picker: "Choose a connection", create: "New connection", reconnect: "Reconnect",
};
/** What the frame tells the page, beside what the SDK itself answers to. */
const EVENTS = ["picked", "created", "reconnected", "cancelled", "changed", "signed-in", "problem"];
/** Milliseconds until a silent frame, and a silent `getTicket`, are taken for lost. */
const PATIENCE = 10_000, TICKET_PATIENCE = 20_000;

/** Says in the console what is missing and the line that mends it. */
function report({ code, message, remedy, docs }) {
  console.error(`[patchbay] ${code}: ${message}\nTo mend it: ${remedy}\n${docs || `docs/embedding.md, "${code}"`}`);
}

/** An Error that carries a problem's code. */
const errorOf = (problem) => Object.assign(new Error(), problem, { message: `${problem.code}: ${problem.message}` });

/** Sets inline styles by CSSOM, which no Content-Security-Policy forbids. */
const dress = (element, styles) => Object.assign(element.style, styles);

/** A frame on the page, from `mount` until `close`. */
class Embed {
  /** @type {HTMLIFrameElement} */ iframe;
  /** @type {Promise<object>} */ ready;
  #box; #options; #base; #settle; #timer; #asking = false; #heard = false; #signedIn = false; #height = 0;
  /** What brings the page back as it was before a dialog, last first. @type {(() => void)[] | undefined} */ #undo;

  /** @param {Element} box @param {Options} options */
  constructor(box, options) {
    if (!(box instanceof Element)) throw new TypeError("patchbay: the first argument of mount() must be an element of the page");
    const { workspace, view = "connections" } = options;
    this.#base = new URL(options.url || "", location.href);
    if (!options.url || !/^https?:$/.test(this.#base.protocol)) throw new TypeError('patchbay: give `url`, such as "https://patchbay.example.com"');
    if (!workspace) throw new TypeError("patchbay: give `workspace`, the id you chose in PUT /api/v1/workspaces/{id}");
    if (!Object.hasOwn(TITLES, view)) throw new TypeError(`patchbay: \`view\` is one of ${Object.keys(TITLES).join(", ")}`);
    this.#base.search = this.#base.hash = "";
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/";
    this.#box = box;
    this.#options = { ...options, view };
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever does not wait for it learns by the console and by `on.problem`.
    this.ready.catch(() => {});

    this.iframe = document.createElement("iframe");
    this.iframe.setAttribute("sandbox", SANDBOX);
    this.iframe.allow = "clipboard-write";
    this.iframe.title = options.title || TITLES[view];
    this.#fit();
    addEventListener("message", this.#listen);
    document.addEventListener("securitypolicyviolation", this.#refused);
    this.#timer = setTimeout(() => this.#silent(), PATIENCE);
    this.iframe.src = `${this.#base}embed/${encodeURIComponent(workspace)}/${view}?v=${PROTOCOL}`;
    box.append(this.iframe);
  }

  /** Whether somebody is signed in inside the frame. */
  get signedIn() {
    return this.#signedIn;
  }

  /** Changes options while the frame stands; all but `url`, `workspace` and `view`. @param {Partial<Options>} changes */
  configure(changes) {
    Object.assign(this.#options, changes);
    this.iframe.title = this.#options.title || TITLES[this.#options.view];
    this.#fit();
    this.#configure();
  }

  /** Asks the frame to leave what it is doing; it answers `cancelled`, perhaps after a question. */
  leave() {
    this.#send({ type: "close" });
  }

  /** Takes the frame away, and every listener with it. */
  close() {
    clearTimeout(this.#timer);
    removeEventListener("message", this.#listen);
    document.removeEventListener("securitypolicyviolation", this.#refused);
    this.#shrink();
    this.iframe.remove();
    this.#settle.reject(new Error("patchbay: closed before anybody was signed in"));
  }

  #send(message) {
    this.iframe.contentWindow?.postMessage({ patchbay: PROTOCOL, ...message }, this.#base.origin);
  }

  /** Nothing counts but what this very window says from the very origin of Patchbay. */
  #listen = ({ source, origin, data }) => {
    if (!source || source !== this.iframe.contentWindow || origin !== this.#base.origin) return;
    if (data?.patchbay !== PROTOCOL || typeof data.type !== "string") return;
    const { patchbay: _, type, ...detail } = data;
    if (type === "ready") this.#greet();
    else if (type === "ticket-wanted") this.#answer(detail.reason);
    else if (type === "size") this.#grow(detail.height);
    else if (type === "shown") this.#options.shown?.(true);
    else if (type === "overlay") detail.open === true ? this.#enlarge() : this.#shrink();
    else if (EVENTS.includes(type)) this.#tell(type, detail);
  };

  /** The frame stands, for the first time or after a reload: it learns how to look, and then wants a ticket. */
  #greet() {
    this.#heard = true;
    clearTimeout(this.#timer);
    this.#shrink();
    this.#options.shown?.(false);
    this.#configure();
  }

  #configure() {
    if (!this.#heard) return;
    const { theme, locale, environment, filters, component, connection, sizing, maxHeight, overlay } = this.#options;
    const message = { theme, locale, environment, filters, view: { component, connection }, sizing, maxHeight, overlay };
    // What is `undefined` or a function is nothing the frame could be told.
    this.#send({ type: "configure", ...JSON.parse(JSON.stringify(message)) });
  }

  async #answer(reason) {
    if (this.#asking) return;
    this.#asking = true;
    let timer;
    try {
      const { getTicket, workspace, view } = this.#options;
      if (typeof getTicket !== "function") throw new Error("`getTicket` is not given");
      const late = new Promise((_, reject) => (timer = setTimeout(reject, TICKET_PATIENCE, new Error("getTicket did not answer within 20 s"))));
      const given = await Promise.race([getTicket({ reason, workspace, view }), late]);
      const ticket = given?.ticket ?? given;
      if (typeof ticket !== "string") throw new Error("getTicket gave no ticket");
      if (!ticket.startsWith("pb_tkt_")) throw new Error("getTicket gave something else than a ticket");
      this.#send({ type: "ticket", ticket });
    } catch (error) {
      const message = String(error?.message ?? error).slice(0, 200);
      this.#send({ type: "ticket-failed", message });
      this.#problem("ticket_failed", message, "getTicket: async () => (await (await fetch(\"/patchbay-ticket\", { method: \"POST\" })).json()).ticket, "
        + "where your server answers with what POST /api/v1/embed/sessions gave it");
    } finally {
      clearTimeout(timer);
      this.#asking = false;
    }
  }

  #tell(type, detail) {
    if (/^(picked|created|reconnected)$/.test(type) && typeof detail.connection?.id !== "string") return;
    if (type === "signed-in") {
      this.#signedIn = true;
      this.#settle.resolve(detail);
    }
    if (type === "problem") {
      report(detail);
      this.#settle.reject(errorOf(detail));
    }
    this.#options.on?.[type]?.(detail);
  }

  #problem(code, message, remedy) {
    this.#tell("problem", { code, message, remedy });
  }

  #silent() {
    const { workspace } = this.#options;
    this.#problem("no_answer", `the frame of workspace ${workspace} has not answered; most often this page's origin is not allowed to embed it`,
      `curl ${this.#base}api/v1/workspaces/${workspace} -H "authorization: Bearer $PATCHBAY_INSTANCE_KEY"\n`
        + `then PUT its name, allowed_origins, theme and settings there again, with "${location.origin}" added to allowed_origins: PUT replaces them all`);
  }

  #refused = ({ effectiveDirective, blockedURI }) => {
    if (!/^(frame|child|default)-src/.test(effectiveDirective) || !blockedURI.startsWith(this.#base.origin)) return;
    clearTimeout(this.#timer);
    this.#problem("host_csp", "this page's Content-Security-Policy does not let Patchbay be framed", `add to the policy: frame-src ${this.#base.origin}`);
  };

  #fit() {
    const { sizing, theme, maxHeight = 800 } = this.#options;
    const styles = { display: "block", width: "100%", border: "0", background: "transparent" };
    // A frame is see-through only where both documents agree on the scheme.
    styles.colorScheme = { light: "light", dark: "dark" }[theme?.scheme] ?? "light dark";
    if (!this.#undo) styles.height = sizing === "grow" ? `${Math.min(this.#height || 320, maxHeight)}px` : "100%";
    dress(this.iframe, styles);
  }

  #grow(height) {
    if (!Number.isFinite(height) || height < 0 || this.#options.sizing !== "grow") return;
    this.#height = Math.ceil(height);
    this.#fit();
  }

  /** The frame over the whole page while it shows a dialog: the same frame, so that nothing is loaded anew. */
  #enlarge() {
    const { iframe } = this;
    if (this.#undo || !this.#options.overlay) return;
    const { top, left, width, height } = iframe.getBoundingClientRect();
    const undo = (this.#undo = []);
    const set = (element, styles) => {
      for (const name of Object.keys(styles)) {
        const before = element.style[name];
        undo.push(() => (element.style[name] = before));
      }
      dress(element, styles);
    };
    const root = document.documentElement;
    set(document.body, { paddingRight: `${innerWidth - root.clientWidth + parseFloat(getComputedStyle(document.body).paddingRight)}px` });
    set(root, { overflow: "hidden" });
    set(this.#box, { minHeight: `${this.#box.offsetHeight}px` });
    set(iframe, {
      position: "fixed", inset: "0", width: "100%", height: "100%", maxWidth: "none", maxHeight: "none", margin: "0", padding: "0", zIndex: "2147483647",
    });
    for (let node = iframe; node && node !== document.body; node = node.host ?? node.parentNode) {
      for (const sibling of node.parentNode?.children ?? []) {
        if (sibling === node || sibling.inert) continue;
        sibling.inert = true;
        undo.push(() => (sibling.inert = false));
      }
    }
    // The top layer, where there is one: no ancestor's transform, overflow or z-index reaches it.
    if (iframe.showPopover) {
      iframe.popover = "manual";
      iframe.showPopover();
      undo.push(() => (iframe.popover = null));
    }
    this.#send({ type: "overlay", open: true, box: { top, left, width, height } });
  }

  #shrink() {
    if (!this.#undo) return;
    for (const step of this.#undo.reverse()) step();
    this.#undo = undefined;
    this.#fit();
    this.#send({ type: "overlay", open: false });
  }
}

/**
 * Puts a view of Patchbay into an element of the page.
 * @param {Element} element what the frame fills or grows in
 * @param {Options} options
 * @throws {TypeError} when `url`, `workspace` or `view` cannot be
 */
export function mount(element, options) {
  return new Embed(element, options);
}

/** A view in a modal dialog, until the frame says `event` or is left. @returns {Promise<Connection | null>} */
function ask(view, event, options) {
  return new Promise((resolve) => {
    if (options.signal?.aborted) return resolve(null);
    const dialog = document.createElement("dialog");
    const panel = document.createElement("div");
    dialog.setAttribute("aria-label", options.title || TITLES[view]);
    dress(dialog, {
      width: "100vw", height: "100dvh", maxWidth: "none", maxHeight: "none", border: "0", padding: "16px", boxSizing: "border-box",
      background: "rgb(0 0 0 / 0.45)", placeItems: "center",
    });
    dress(panel, {
      width: "min(40rem, 100%)", height: "min(46rem, 100%)", overflow: "hidden", background: "Canvas", position: "relative",
      borderRadius: `${options.theme?.radius ?? 8}px`, colorScheme: { light: "light", dark: "dark" }[options.theme?.scheme] ?? "light dark",
    });
    // The frame brings a way out of its own, once it is there.
    const out = document.createElement("button");
    out.type = "button";
    out.textContent = "\u2715";
    out.setAttribute("aria-label", "Close");
    dress(out, {
      position: "absolute", top: "8px", right: "8px", width: "40px", height: "40px", border: "0", borderRadius: "8px",
      background: "transparent", color: "CanvasText", font: "16px system-ui", cursor: "pointer",
    });
    dialog.append(panel);
    document.body.append(dialog);
    let leaving = false, over = false;
    const finish = (connection) => {
      if (over) return;
      over = true;
      embed.close();
      dialog.close();
      dialog.remove();
      resolve(connection);
    };
    const heard = (type, connection) => (detail) => {
      options.on?.[type]?.(detail);
      finish(connection(detail));
    };
    const on = {
      ...options.on, cancelled: heard("cancelled", () => null), [event]: heard(event, (detail) => detail.connection),
    };
    let isShown = false;
    const shown = (is) => {
      isShown = is;
      // One that is put where it is already loses the focus.
      if (!is) return out.isConnected || panel.append(out);
      out.remove();
      // To focus it once more would take the focus away from what has it within.
      if (document.activeElement !== embed.iframe) embed.iframe.focus();
    };
    let embed;
    try {
      embed = mount(panel, { ...options, view, sizing: "fill", overlay: false, on, shown });
    } catch (error) {
      dialog.remove();
      throw error;
    }
    // The frame may first ask about what was typed; whoever insists within a second is let out.
    const leave = () => {
      if (leaving || !isShown) return finish(null);
      leaving = true;
      setTimeout(() => (leaving = false), 1_000);
      embed.leave();
    };
    // A browser closes a dialog without asking at a second Escape.
    dialog.addEventListener("close", () => finish(null));
    dialog.addEventListener("cancel", (cancel) => (cancel.preventDefault(), leave()));
    dialog.addEventListener("click", (click) => click.target === dialog && leave());
    options.signal?.addEventListener("abort", () => finish(null));
    out.addEventListener("click", () => finish(null));
    panel.append(out);
    dialog.showModal();
    dialog.style.display = "grid";
    out.focus();
  });
}

/** Lets a person choose or create a connection. @param {Options} options @returns {Promise<Connection | null>} `null`: thought better of it */
export const pickConnection = (options) => ask("picker", "picked", options);

/** Lets a person create a connection. @param {Options} options @returns {Promise<Connection | null>} */
export const createConnection = (options) => ask("create", "created", options);

/** Lets a person give the credentials of `options.connection` anew. @param {Options} options @returns {Promise<Connection | null>} */
export const reconnect = (options) => ask("reconnect", "reconnected", options);

/** Attributes that become options as they are. */
const PLAIN = ["component", "connection", "environment", "locale", "sizing"];
/** Attributes that need another frame. */
const FIXED = ["url", "workspace", "view"];
const THEME = ["scheme", "accent", "radius", "font"];
// Servers that render pages load this module, too; they have no elements.
const Base = globalThis.HTMLElement ?? class {};

/** `<patchbay-connections url workspace ...>`; `getTicket` and `filters` are properties, events are named `patchbay-…`. */
export class PatchbayConnections extends Base {
  static observedAttributes = [...FIXED, ...PLAIN, ...THEME, "max-height", "overlay", "frame-title"];
  #embed; #getTicket; #filters; #due = false;

  get getTicket() {
    return this.#getTicket;
  }
  set getTicket(getTicket) {
    this.#getTicket = getTicket;
    this.#soon();
  }
  get filters() {
    return this.#filters;
  }
  set filters(filters) {
    this.#filters = filters;
    this.#soon();
  }
  /** What `mount` gave, once the element is on the page and complete. */
  get embed() {
    return this.#embed;
  }

  connectedCallback() {
    // Set before this element was defined, they stand in the accessors' way.
    for (const name of ["getTicket", "filters"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    if (getComputedStyle(this).display === "inline") this.style.display = "block";
    this.#soon();
  }
  disconnectedCallback() {
    this.#end();
  }
  attributeChangedCallback(name, before, after) {
    if (before === after) return;
    if (FIXED.includes(name)) this.#end();
    this.#soon();
  }

  #end() {
    this.#embed?.close();
    this.#embed = undefined;
  }

  /** Once for all that is set in one go. */
  #soon() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (!this.isConnected || !this.getAttribute("url") || !this.getAttribute("workspace")) return;
      if (this.#embed) this.#embed.configure(this.#read());
      else this.#embed = mount(this, this.#read());
    });
  }

  #read() {
    const value = (name) => this.getAttribute(name) ?? undefined;
    const number = (name) => (value(name) === undefined ? undefined : Number(value(name)));
    const theme = { scheme: value("scheme"), accent: value("accent"), radius: number("radius"), font: value("font") };
    const tell = (type) => [type, (detail) => this.dispatchEvent(new CustomEvent(`patchbay-${type}`, { detail, bubbles: true }))];
    return {
      ...Object.fromEntries([...FIXED, ...PLAIN].map((name) => [name, value(name)])),
      theme: THEME.some((name) => this.hasAttribute(name)) ? theme : undefined,
      title: value("frame-title"), maxHeight: number("max-height"), overlay: this.hasAttribute("overlay"),
      filters: this.#filters, getTicket: this.#getTicket, on: Object.fromEntries(EVENTS.map(tell)),
    };
  }
}

if (globalThis.customElements && !customElements.get("patchbay-connections")) {
  customElements.define("patchbay-connections", PatchbayConnections);
}
