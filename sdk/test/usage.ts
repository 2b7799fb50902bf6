// What the types must take, and what they must refuse; compiled by types.test.mjs, never run.
import { createConnection, mount, pickConnection, reconnect, type Connection, type Embed } from "@patchbay/embed";

const getTicket = async () => "pb_tkt_1";
const patchbay = { url: "https://patchbay.example.com", workspace: "acme", getTicket };

const embed: Embed = mount(document.body, {
  ...patchbay, view: "component", component: "slack", environment: "production", filters: { tags: ["eu"], status: "active" },
  theme: { scheme: "dark", accent: "#0f766e", radius: 4 }, locale: "de-CH", sizing: "grow", maxHeight: 600, overlay: true,
  on: { picked: ({ connection }) => connection.id.length, problem: ({ code, remedy }) => `${code satisfies string}${remedy}`, "signed-in": ({ role }) => role },
});
embed.configure({ theme: undefined, getTicket: ({ reason }) => ({ ticket: reason }) });
const answers: Promise<Connection | null>[] = [
  pickConnection({ ...patchbay, signal: new AbortController().signal }), createConnection(patchbay), reconnect({ ...patchbay, connection: "con_1" }),
];
const element = document.createElement("patchbay-connections");
element.getTicket = getTicket;
element.addEventListener("patchbay-picked", ({ detail }) => detail.connection.name);
void answers;

// @ts-expect-error: who signs in?
mount(document.body, { url: "https://patchbay.example.com", workspace: "acme" });
// @ts-expect-error: there is no such view
mount(document.body, { ...patchbay, view: "list" });
// @ts-expect-error: a frame stays in its workspace
embed.configure({ workspace: "other" });
// @ts-expect-error: which connection?
void reconnect(patchbay);
