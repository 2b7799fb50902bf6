// The custom element for the page, and a dialog for one choice.
import { pickConnection } from "@patchbay/embed";

const { patchbay: url, workspace } = await (await fetch("/state.json")).json();
const getTicket = async () => (await (await fetch("/patchbay-ticket", { method: "POST" })).json()).ticket;

const element = document.querySelector("patchbay-connections");
element.setAttribute("url", url);
element.setAttribute("workspace", workspace);
element.getTicket = getTicket;

document.querySelector("#pick").addEventListener("click", async () => {
  const connection = await pickConnection({ url, workspace, getTicket, environment: "development" });
  document.querySelector("#picked").textContent = connection ? connection.name : "Nothing chosen";
});
