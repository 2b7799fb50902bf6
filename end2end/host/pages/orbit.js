// The sample platform's page. What concerns Patchbay: `patchbay()`, `openConnections`, `choose`, `mend`.
const state = await (await fetch("/state.json")).json();
const sdk = await import(`${state.patchbay}/sdk/v1/patchbay.js`);
const main = document.querySelector("#main");
let embed;

/** An element with its attributes and children; nothing is ever parsed as HTML. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

async function getTicket() {
  const answer = await fetch("/patchbay-ticket", { method: "POST" });
  const { ticket, error } = await answer.json();
  if (!answer.ok) throw new Error(error);
  return ticket;
}

const theme = () => ({ scheme: document.querySelector("#scheme").value, accent: "#0f766e", radius: 10 });
const patchbay = (more = {}) => ({
  url: state.patchbay, workspace: state.workspace, getTicket, theme: theme(), locale: navigator.language, on: { changed: followed }, ...more,
});

/** What people do to a connection shows at once where a step uses it. */
function followed({ connection }) {
  for (const flow of state.flows) {
    for (const step of flow.steps) {
      if (step.connection?.id === connection.id) Object.assign(step.connection, connection);
    }
  }
}

function openConnections() {
  const box = make("div", { class: "frame" });
  const create = make("button", { class: "main", onclick: () => sdk.createConnection(patchbay({ environment: "development" })) }, "Add a connection");
  main.replaceChildren(make("div", { class: "head" }, make("h1", {}, "Connections"), create), make("p", { class: "soft" }, "What your workflows sign in with."), box);
  embed = sdk.mount(box, patchbay({ environment: "development", overlay: true }));
}

async function save(flow, index, connection) {
  const { id, name, component, status } = connection;
  const answer = await fetch(`/flows/${flow.id}/${index}`, { method: "PUT", body: JSON.stringify({ id, name, component, status }) });
  if (!answer.ok) throw new Error((await answer.json()).error);
  flow.steps[index].connection = { id, name, component, status };
  openFlow(flow);
}

async function choose(flow, index) {
  const step = flow.steps[index];
  const connection = await sdk.pickConnection(patchbay({ component: step.component, environment: flow.environment, title: `Choose a connection to ${step.service}` }));
  if (connection) await save(flow, index, connection);
}

async function mend(flow, index) {
  const step = flow.steps[index];
  const connection = await sdk.reconnect(patchbay({ connection: step.connection.id, component: step.component, environment: flow.environment }));
  if (connection) await save(flow, index, connection);
}

/** `ACTIVE`, `active`, `not_active`: whatever is not active wants to be mended. */
const isActive = ({ status }) => String(status).toLowerCase() === "active";

function stepOf(flow, step, index) {
  const words = make("div", {}, make("h2", {}, step.title), make("p", { class: "soft" }, step.text));
  if (!step.component) return make("li", { class: "step" }, words);
  if (step.connection) words.append(make("p", { class: "soft chosen" }, `${step.service}: ${step.connection.name}`));
  const label = step.connection ? `Change the connection of ${step.title}` : `Choose a connection for ${step.title}`;
  const button = make("button", { "aria-label": label, onclick: () => choose(flow, index) }, step.connection ? "Change" : `Choose ${step.service}`);
  return make("li", { class: "step" }, words, button);
}

function bannerOf(flow, step, index) {
  const text = `${step.connection.name} does not work any more: "${step.title}" will fail.`;
  return make("div", { class: "banner", role: "status" }, text, make("button", { onclick: () => mend(flow, index) }, "Reconnect"));
}

function openFlow(flow) {
  const broken = flow.steps.flatMap((step, index) => (step.connection && !isActive(step.connection) ? [bannerOf(flow, step, index)] : []));
  main.replaceChildren(
    make("div", { class: "head" }, make("h1", {}, flow.name)), make("p", { class: "soft" }, flow.schedule), ...broken,
    make("ol", { class: "steps" }, ...flow.steps.map((step, index) => stepOf(flow, step, index))),
  );
}

function open() {
  embed?.close();
  embed = undefined;
  const place = location.hash.slice(1);
  if (place === "connections") openConnections();
  else openFlow(state.flows.find(({ id }) => id === place) ?? state.flows[0]);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${place || state.flows[0].id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.querySelector("#flows").append(...state.flows.map(({ id, name }) => make("li", {}, make("a", { href: `#${id}` }, name))));
const person = document.querySelector("#person");
person.append(...state.people.map(({ id, name, role }) => make("option", { value: id }, `${name} (${role})`)));
person.value = state.person.id;
person.addEventListener("change", () => {
  document.cookie = `person=${person.value}; SameSite=Lax; Path=/`;
  location.reload();
});
const scheme = document.querySelector("#scheme");
scheme.value = localStorage.getItem("scheme") ?? "system";
const dress = () => (document.documentElement.dataset.scheme = scheme.value);
scheme.addEventListener("change", () => {
  localStorage.setItem("scheme", scheme.value);
  dress();
  embed?.configure({ theme: theme() });
});
dress();
addEventListener("hashchange", open);
open();
