import { bySsh } from "../matrix-entries.mjs";

export default () => bySsh({
  protocol: "SSH, by private key", method: "private_key",
  right: ({ lockedKey, passphrase }) => ({ private_key: lockedKey, passphrase }),
  wrong: ({ foreignKey }) => ({ private_key: foreignKey }),
  changes: () => ({ "wrong passphrase": { secrets: { passphrase: "wrong" } } }),
  leftOut: { "missing permission": "An account may be for one purpose alone, so no permission is required." },
});
