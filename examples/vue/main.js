// mount() when the component is there, close() when it goes. A render function, so that the strict policy needs no exception.
import { mount, pickConnection } from "@patchbay/embed";
import { createApp, h, onBeforeUnmount, onMounted, ref } from "vue";

const { patchbay: url, workspace } = await (await fetch("/state.json")).json();
const getTicket = async () => (await (await fetch("/patchbay-ticket", { method: "POST" })).json()).ticket;
const patchbay = { url, workspace, getTicket, environment: "development" };

const Connections = {
  setup() {
    const box = ref(null);
    let embed;
    onMounted(() => (embed = mount(box.value, { ...patchbay, sizing: "grow", overlay: true, maxHeight: 600 })));
    onBeforeUnmount(() => embed.close());
    return () => h("div", { ref: box });
  },
};

const App = {
  setup() {
    const picked = ref(null);
    const pick = async () => (picked.value = await pickConnection(patchbay));
    return () => [
      h("h1", "Vue"),
      h("p", [h("button", { onClick: pick }, "Choose a connection"), " ", h("output", picked.value?.name ?? "Nothing chosen")]),
      h(Connections),
    ];
  },
};

createApp(App).mount("#root");
