import { bySsh } from "../matrix-entries.mjs";

export default () => bySsh({
  protocol: "SFTP", component: "sftp", method: "private_key",
  right: ({ key }) => ({ private_key: key }),
  wrong: ({ foreignKey }) => ({ private_key: foreignKey }),
  changes: ({ visitor }) => ({ "missing permission": { config: { user: visitor } } }),
});
