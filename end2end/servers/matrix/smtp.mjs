import { byCommand } from "../matrix-entries.mjs";
import { startSmtp } from "../smtp.mjs";

export default () => byCommand(startSmtp, {
  protocol: "SMTP", server: "aiosmtpd 1.4 (PyPI)", component: "smtp",
  anyPermission: "The check signs in and sends nothing; whose mail a user may send shows only then.",
});
