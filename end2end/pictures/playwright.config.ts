import base from "../playwright.config.ts";

/** `npx --no-install playwright test --config end2end/pictures/playwright.config.ts` takes the pictures of docs/ anew. */
export default { ...base, testDir: "." };
