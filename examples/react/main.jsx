// mount() in an effect: React puts nothing into the element, and closing is the effect's clean-up.
import { mount, pickConnection } from "@patchbay/embed";
import { useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";

const { patchbay: url, workspace } = await (await fetch("/state.json")).json();
const getTicket = async () => (await (await fetch("/patchbay-ticket", { method: "POST" })).json()).ticket;
const patchbay = { url, workspace, getTicket, environment: "development" };

function Connections({ scheme }) {
  const box = useRef(null);
  const embed = useRef(null);
  useEffect(() => {
    embed.current = mount(box.current, { ...patchbay, sizing: "grow", overlay: true, maxHeight: 600 });
    return () => embed.current.close();
  }, []);
  useEffect(() => embed.current.configure({ theme: { scheme } }), [scheme]);
  return <div ref={box} />;
}

function App() {
  const [picked, setPicked] = useState(null);
  const [scheme, setScheme] = useState("light");
  const pick = async () => setPicked(await pickConnection({ ...patchbay, theme: { scheme } }));
  return (
    <>
      <h1>React</h1>
      <p>
        <button onClick={pick}>Choose a connection</button> <output>{picked ? picked.name : "Nothing chosen"}</output>{" "}
        <button onClick={() => setScheme(scheme === "light" ? "dark" : "light")}>Switch theme</button>
      </p>
      <Connections scheme={scheme} />
    </>
  );
}

createRoot(document.querySelector("#root")).render(<App />);
