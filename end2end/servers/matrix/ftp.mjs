import { startFtp } from "../ftp.mjs";
import { byCommand } from "../matrix-entries.mjs";

export default () => byCommand(startFtp, {
  protocol: "FTP and FTPS", server: "pyftpdlib 2.2 (PyPI)", component: "ftp",
  anyPermission: "An account may be for fetching or for delivering alone, so no permission is required.",
});
