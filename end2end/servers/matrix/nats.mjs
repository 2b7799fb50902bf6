import { byCommand } from "../matrix-entries.mjs";
import { startNats } from "../nats.mjs";

export default () => byCommand(startNats, {
  protocol: "NATS", server: "nats-server 2.9 (Debian)", component: "nats",
  anyPermission: "The check signs in; which subjects a user may use shows only when one is used.",
});
