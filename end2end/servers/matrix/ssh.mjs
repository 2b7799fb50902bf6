import { bySsh } from "../matrix-entries.mjs";

export default () => bySsh({
  protocol: "SSH, by password", method: "password",
  right: ({ password }) => ({ password }),
  wrong: () => ({ password: "wrong" }),
  leftOut: { "missing permission": "An account may be for one purpose alone, so no permission is required." },
});
