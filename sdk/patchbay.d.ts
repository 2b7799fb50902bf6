// Types of @patchbay/embed. What each message means: docs/embedding.md.

/** The views a frame can show. */
export type View = "connections" | "component" | "picker" | "create" | "reconnect";

/** One of the three environments that every workspace has. */
export type Environment = "development" | "staging" | "production";

/** A connection as the page around the frame may know it: never a secret. */
export interface Connection {
  /** What your workflow keeps, and your server fetches credentials with. */
  id: string;
  name: string;
  /** The component's id, such as `slack`. */
  component: string;
  environment: Environment;
  /** `active` or `not_active`. */
  status: string;
}

/** How the frame looks. What is left out follows the workspace's own theme. */
export interface Theme {
  /** `system` unless told. */
  scheme?: "light" | "dark" | "system";
  /** `#rrggbb`. */
  accent?: string;
  /** Of corners, in CSS pixels, 0 to 16. */
  radius?: number;
  /** `system`, or a list of families that people have installed. */
  font?: string;
}

/** What the list is narrowed to at first; people may change it. */
export interface Filters {
  component?: string;
  tags?: string[];
  status?: "active" | "not_active";
  /** Words that are searched for. */
  q?: string;
}

export type ProblemCode =
  // Told by the frame.
  | "no_ticket" | "ticket_expired" | "ticket_used" | "origin_not_allowed" | "origin_mismatch" | "connection_missing" | "component_missing"
  | "renewal_failed" | "unavailable" | "user_changed" | "version_unsupported" | "role_insufficient" | "popup_blocked" | "wasm_blocked"
  // Found by this module.
  | "no_answer" | "host_csp" | "ticket_failed";

/** What is missing, and the line that mends it. The console has it, too. */
export interface Problem {
  code: ProblemCode;
  message: string;
  remedy: string;
  docs?: string;
}

/** Who is signed in inside the frame. */
export interface SignedIn {
  workspace: { id: string; name: string };
  user: { id: string; name?: string };
  role: "viewer" | "editor" | "owner";
  environments: Environment[];
  /** When the frame will ask for another ticket at the latest. */
  expiresAt: string | number;
}

/** Name of each event, and what its listener is given. */
export interface Events {
  /** A connection was chosen, in the picker. */
  picked: { connection: Connection };
  created: { connection: Connection };
  reconnected: { connection: Connection };
  /** The person thought better of it. */
  cancelled: Record<string, never>;
  /** Something was done here to a connection, and the server has said yes. */
  changed: {
    kind: "created" | "updated" | "deleted" | "undeleted" | "replaced";
    connection: Partial<Connection> & { id: string };
    /** With `replaced`: the connection that each workflow uses now, by the workflow's id. */
    workflows?: Record<string, string>;
  };
  "signed-in": SignedIn;
  problem: Problem;
}

/** Why a ticket is asked for: the frame begins, its quarter of an hour ends, or the last ticket was refused. */
export type TicketReason = "start" | "renewal" | "refused";

export interface TicketRequest {
  reason: TicketReason;
  workspace: string;
  view: View;
}

/** Asks your server for a ticket: the answer of `POST /api/v1/embed/sessions`, or its `ticket` alone. */
export type GetTicket = (request: TicketRequest) => Promise<string | { ticket: string }> | string | { ticket: string };

export interface Options {
  /** Patchbay's public URL, such as `https://patchbay.example.com`. */
  url: string;
  /** The id your server gave in `PUT /api/v1/workspaces/{id}`. */
  workspace: string;
  /** `connections` unless told. */
  view?: View;
  /** Called at the start and about every quarter of an hour; may reject, which the frame says and recovers from. */
  getTicket: GetTicket;
  /** Only this component, by its id. */
  component?: string;
  /** Only for `reconnect`: the connection's id. */
  connection?: string;
  environment?: Environment;
  filters?: Filters;
  theme?: Theme;
  /** A language tag, such as `de-CH`. Taken, and without effect yet: the frame speaks English. */
  locale?: string;
  /** `fill` (unless told): as large as the element, scrolls inside. `grow`: as high as its content, up to `maxHeight`. */
  sizing?: "fill" | "grow";
  /** With `grow`, in CSS pixels; 800 unless told. */
  maxHeight?: number;
  /** Whether dialogs stand over the whole page instead of inside the element. */
  overlay?: boolean;
  /** What a screen reader calls the frame. */
  title?: string;
  on?: { [Name in keyof Events]?: (detail: Events[Name]) => void };
}

export interface Embed {
  readonly iframe: HTMLIFrameElement;
  /** When somebody is signed in inside; rejects with the first problem before that, as an Error with its `code` and `remedy`. */
  readonly ready: Promise<SignedIn>;
  readonly signedIn: boolean;
  /** Changes options while the frame stands: all but `url`, `workspace` and `view`, and `component` and `connection`, which are fixed when it is mounted. `undefined` takes one back. */
  configure(changes: Partial<Omit<Options, "url" | "workspace" | "view" | "component" | "connection">>): void;
  /** Asks the frame to leave what it is doing; it answers with `cancelled`. */
  leave(): void;
  /** Takes the frame and every listener away. */
  close(): void;
}

/**
 * Puts a view of Patchbay into an element of the page.
 * @throws TypeError when `url`, `workspace` or `view` cannot be
 */
export function mount(element: Element, options: Options): Embed;

/** Options of a view in a dialog of its own. */
export interface DialogOptions extends Omit<Options, "view" | "sizing" | "maxHeight" | "overlay"> {
  /** Takes the dialog away; the promise resolves with `null`. */
  signal?: AbortSignal;
}

/** Lets a person choose or create a connection. `null`: thought better of it. */
export function pickConnection(options: DialogOptions): Promise<Connection | null>;

/** Lets a person create a connection. `null`: thought better of it. */
export function createConnection(options: DialogOptions): Promise<Connection | null>;

/** Lets a person give the credentials of a connection anew. `null`: thought better of it. */
export function reconnect(options: DialogOptions & { connection: string }): Promise<Connection | null>;

/**
 * `<patchbay-connections url workspace view component connection environment locale sizing max-height overlay frame-title
 * scheme accent radius font>`. Its events are named `patchbay-picked` and so on; `detail` is what `Events` says.
 */
export class PatchbayConnections extends HTMLElement {
  getTicket: GetTicket | undefined;
  filters: Filters | undefined;
  /** What `mount` gave, once the element is on the page and has `url` and `workspace`. */
  readonly embed: Embed | undefined;
}

declare global {
  interface HTMLElementTagNameMap {
    "patchbay-connections": PatchbayConnections;
  }
  interface HTMLElementEventMap {
    "patchbay-picked": CustomEvent<Events["picked"]>;
    "patchbay-created": CustomEvent<Events["created"]>;
    "patchbay-reconnected": CustomEvent<Events["reconnected"]>;
    "patchbay-cancelled": CustomEvent<Events["cancelled"]>;
    "patchbay-changed": CustomEvent<Events["changed"]>;
    "patchbay-signed-in": CustomEvent<Events["signed-in"]>;
    "patchbay-problem": CustomEvent<Problem>;
  }
}
