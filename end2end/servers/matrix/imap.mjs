import { startImap } from "../imap.mjs";
import { byCommand } from "../matrix-entries.mjs";

export default () => byCommand(startImap, {
  protocol: "IMAP", server: "Dovecot 2.3 (Debian)", component: "imap",
  anyPermission: "Whoever signs in may read the mail of this user; there is no less.",
  changes: ({ tlsPort, ca }) => ({
    "right credential over TLS": { config: { port: tlsPort, tls: "tls", ca } },
    "right credential over STARTTLS": { config: { tls: "starttls", ca } },
  }),
});
