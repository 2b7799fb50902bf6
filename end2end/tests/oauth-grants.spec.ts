// The ways to a token beside the window, whose client is used, and the end of it all at the provider itself.
import { writeComponent, writeMachineComponent } from "../servers/oidc-provider/component.mjs";
import { temporaryFolder } from "../servers/process.mjs";
import { expectNothingFound } from "../fixtures/accessible.ts";
import { connect, consent, expect, pressConnect, signIn, test as base, type Provider } from "../fixtures/oauth.ts";

/** Whether the provider still takes it (RFC 7662). */
async function isActive(provider: Provider, token: string): Promise<boolean> {
  const { id, secret } = provider.clients.basic;
  const encoded = [id, secret!].map((part) => encodeURIComponent(part)).join(":");
  const headers = { authorization: `Basic ${Buffer.from(encoded).toString("base64")}` };
  const answer = await fetch(provider.endpoints.introspection, { method: "POST", headers, body: new URLSearchParams({ token }) });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { active: boolean }).active;
}

base("discovery: the issuer tells every address, and a wrong one is said at its field", async ({ connections, provider, page, troubles }) => {
  // The browser logs each answer of 400.
  troubles.allow(/400 .*begin_connect/);
  const dialog = await connections.begin("OAuth 2.0 service", "Sign in");
  await connections.fill({
    Name: "Found", Issuer: `${provider.issuer}/elsewhere`, "Client ID": provider.clients.basic.id, "Client secret": provider.clients.basic.secret!, Scopes: "openid email",
  });
  const blank = await pressConnect(page, dialog);
  await connections.expectProblem("Issuer", /./);
  if (!blank.isClosed()) await blank.waitForEvent("close");
  await connections.fill({ Issuer: provider.issuer });
  const popup = await pressConnect(page, dialog);
  const asked = popup.waitForRequest((request) => request.url().startsWith(provider.endpoints.authorization));
  await popup.getByRole("button", { name: /^Continue to/ }).click();
  const { searchParams } = new URL((await asked).url());
  expect(searchParams.get("code_challenge_method")).toBe("S256");
  expect(searchParams.get("redirect_uri")).toBe(`${connections.url}/oauth/callback/own`);
  await signIn(popup, "alice@example.com");
  await popup.getByRole("button", { name: "Allow" }).click();
  await expect(connections.badge("Found")).toHaveText("ACTIVE", { timeout: 15_000 });
  await expect(connections.row("Found"), "the account is asked for where the issuer says").toContainText("alice@example.com");
  expect(provider.control.tokenRequests.map(({ grantType, status }) => [grantType, status])).toEqual([["authorization_code", 200]]);
});

base("what is deleted for good is worth nothing at the provider", async ({ connections, provider, page }) => {
  await connect(connections, provider, "Ended", "alice@example.com");
  await connect(connections, provider, "Kept", "bob@example.com");
  const [ended, kept] = ["alice@example.com", "bob@example.com"].map((user) => provider.control.tokensOf(user)) as [string[], string[]];
  expect(ended.length).toBe(2);
  for (const token of [...ended, ...kept]) expect(await isActive(provider, token)).toBe(true);
  await connections.act("Ended", "Delete");
  await connections.button("Delete").click();
  await connections.expectNames("Kept");
  for (const token of ended) expect(await isActive(provider, token), "while an undo is promised").toBe(true);
  await connections.goTo("/deleted?env=development");
  await page.getByRole("button", { name: /^Delete now/ }).click();
  await expect(page.getByText(/access is revoked at OAuth 2\.0 service/)).toBeVisible();
  await expectNothingFound(page);
  await page.getByRole("button", { name: "Delete for good" }).click();
  await expect(async () => {
    for (const token of ended) expect(await isActive(provider, token)).toBe(false);
  }).toPass({ timeout: 20_000 });
  for (const token of kept) expect(await isActive(provider, token), "another connection's").toBe(true);
});

base("Delete and revoke now ends the access at the provider at once, and has no undo", async ({ connections, provider, page }) => {
  await connect(connections, provider, "Ended", "alice@example.com");
  const tokens = provider.control.tokensOf("alice@example.com");
  await connections.act("Ended", "Delete");
  await expect(connections.dialog).toContainText("You can undo this at once");
  await connections.dialog.getByLabel("Revoke its access at OAuth 2.0 service now").check();
  await expect(connections.dialog).toContainText("This has no undo.");
  await expectNothingFound(page);
  await connections.button("Delete and revoke now").click();
  await expect(connections.dialog).toBeHidden();
  await expect(connections.toasts).toContainText("is deleted for good");
  await expect(connections.toasts.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await expect(async () => {
    for (const token of tokens) expect(await isActive(provider, token)).toBe(false);
  }).toPass({ timeout: 20_000 });
  await connections.goTo("/deleted?env=development");
  await expect(page.getByText("Ended")).toHaveCount(0);
});

base("an account is connected by keyboard alone", async ({ connections, provider, page }) => {
  const keys = page.keyboard;
  await keys.press("n");
  await expect(connections.dialog.getByLabel("Search components")).toBeFocused();
  await keys.type("OAuth 2.0 service");
  await keys.press("Enter");
  await expect(connections.dialog.getByRole("heading", { name: "New OAuth 2.0 service connection" })).toBeVisible();
  const until = async (page: typeof connections.page, target: ReturnType<typeof connections.button>) => {
    for (let presses = 0; presses < 40; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${target} cannot be reached by Tab`);
  };
  const typed = [["Issuer", provider.issuer], ["Client ID", provider.clients.basic.id], ["Client secret", provider.clients.basic.secret!], ["Scopes", "openid email"], ["Name", "By keyboard"]] as const;
  for (const [label, text] of typed) {
    await until(page, connections.field(label));
    if (label === "Name") await keys.press("Control+A");
    await keys.type(text);
  }
  await until(page, connections.dialog.getByRole("button", { name: /^Connect OAuth/ }));
  const opened = page.waitForEvent("popup");
  await keys.press("Enter");
  const popup = await opened;
  const press = async (name: string | RegExp) => {
    const button = popup.getByRole("button", { name });
    await button.waitFor();
    await until(popup, button);
    await popup.keyboard.press("Enter");
  };
  await press(/^Continue to/);
  await press("alice@example.com");
  await press("Allow");
  await expect(connections.dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.badge("By keyboard")).toHaveText("ACTIVE");
  await expect(connections.row("By keyboard")).toContainText("alice@example.com");
});

base.describe("at a provider that says Cross-Origin-Opener-Policy: same-origin", () => {
  base.use({ coop: true });
  base("the window is cut off for the page, which learns the outcome all the same", async ({ connections, provider, page }) => {
    await page.evaluate(() => {
      const open = window.open.bind(window);
      window.open = (...given) => ((window as unknown as { opened: Window | null }).opened = open(...given));
    });
    const dialog = await connections.begin("OAuth 2.0 service", "Sign in");
    await connections.fill({ Name: "Cut off", Issuer: provider.issuer, "Client ID": provider.clients.basic.id, "Client secret": provider.clients.basic.secret!, Scopes: "openid email" });
    const popup = await pressConnect(page, dialog);
    await popup.getByRole("button", { name: /^Continue to/ }).waitFor();
    expect(await popup.evaluate(() => window.opener !== null)).toBe(true);
    const answered = popup.waitForResponse((response) => response.url().includes("/interaction/") && response.status() === 200);
    await popup.getByRole("button", { name: /^Continue to/ }).click();
    expect((await answered).headers()["cross-origin-opener-policy"]).toBe("same-origin");
    await popup.getByRole("button", { name: "alice@example.com" }).waitFor();
    expect(await popup.evaluate(() => window.opener)).toBeNull();
    await expect.poll(() => page.evaluate(() => (window as unknown as { opened: Window }).opened.closed), "it reads as closed, and is not").toBe(true);
    expect(popup.isClosed()).toBe(false);
    await signIn(popup, "alice@example.com");
    await popup.getByRole("button", { name: "Allow" }).click();
    await expect(dialog).toBeHidden({ timeout: 15_000 });
    await expect(connections.badge("Cut off")).toHaveText("ACTIVE");
  });
});

/** The provider as a service of its own in the catalog. */
const test = base.extend<{ withClient: boolean }>({
  withClient: [false, { option: true }],
  settings: async ({ provider, withClient }, use) => {
    const { folder, remove } = temporaryFolder("catalog");
    writeComponent(folder, provider);
    writeMachineComponent(folder, provider);
    const client = { PATCHBAY_OAUTH_EXAMPLE_ACCOUNTS_CLIENT_ID: provider.clients.basic.id, PATCHBAY_OAUTH_EXAMPLE_ACCOUNTS_CLIENT_SECRET: provider.clients.basic.secret! };
    await use({ environment: { PATCHBAY_CATALOG_DIR: folder, ...(withClient && client) } });
    remove();
  },
});

test("a client is made by the provider itself, and works", async ({ connections, provider, page }) => {
  const dialog = await connections.begin("Example Accounts");
  await expect(dialog.getByRole("heading", { name: "Set up an OAuth client" })).toBeVisible();
  await connections.fill({ Name: "Registered" });
  await dialog.getByRole("button", { name: "Let Example Accounts make one" }).click();
  await expect(dialog).toContainText("Uses this environment's own client");
  const popup = await pressConnect(page, dialog, /^Connect Example Accounts/);
  await consent(popup, "bob@example.com");
  await expect(connections.badge("Registered")).toHaveText("ACTIVE", { timeout: 15_000 });
  const [request] = provider.control.tokenRequests;
  expect(request).toMatchObject({ grantType: "authorization_code", status: 200 });
  expect(Object.values(provider.clients).map(({ id }) => id), "one made for this").not.toContain(request!.client);
});

test("JWT bearer: a key signs for each token anew, and a wrong one is told", async ({ connections, provider }) => {
  provider.control.setLifetime(5);
  const { machine } = provider;
  const dialog = await connections.begin("Example Machines");
  await connections.fill({ Name: "By key", Issuer: "somebody@else.example", "Private key": machine.key });
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog.locator(".verdict")).toContainText("issuer or subject is unknown", { timeout: 15_000 });
  await connections.fill({ Issuer: machine.issuer });
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(dialog).toBeHidden({ timeout: 15_000 });
  await expect(connections.badge("By key")).toHaveText("ACTIVE");
  await expect(connections.row("By key")).toContainText(machine.issuer);
  const signed = machine.accepted.length;
  // The token has ended: another one is signed for.
  await expect(async () => {
    await connections.act("By key", "Test now");
    expect(machine.accepted.length).toBeGreaterThan(signed);
  }).toPass({ timeout: 20_000 });
  await expect(connections.badge("By key")).toHaveText("ACTIVE");
  expect(new Set(machine.accepted.map(({ jti }) => jti)).size, "each assertion is good once").toBe(machine.accepted.length);
});

test.describe("with the operator's client", () => {
  test.use({ withClient: true });

  test("nobody has to set one up, and it is the one that asks", async ({ connections, provider, page }) => {
    const dialog = await connections.begin("Example Accounts");
    await expect(dialog).toContainText("Uses the client your operator set up");
    await connections.fill({ Name: "By the operator" });
    await consent(await pressConnect(page, dialog, /^Connect Example Accounts/), "alice@example.com");
    await expect(connections.badge("By the operator")).toHaveText("ACTIVE", { timeout: 15_000 });
    expect(provider.control.tokenRequests.map(({ client, status }) => [client, status])).toEqual([[provider.clients.basic.id, 200]]);
    expect(await page.content(), "the operator's secret stays with the operator").not.toContain(provider.clients.basic.secret!);
  });

  test("device flow: a code is entered elsewhere, and the page notices", async ({ connections, provider, browser }) => {
    test.setTimeout(60_000);
    const dialog = await connections.begin("Example Accounts");
    await connections.fill({ Name: "By code" });
    await dialog.getByText("Somebody else owns the account?").click();
    await dialog.getByRole("button", { name: "Use a code instead" }).click();
    const code = await dialog.getByRole("textbox", { name: "Code" }).inputValue();
    await expect(dialog).toContainText(`${provider.issuer}/device`);
    await expectNothingFound(connections.page);
    const elsewhere = await browser.newContext();
    const device = await elsewhere.newPage();
    await device.goto(`${provider.issuer}/device`);
    await device.locator("[name=user_code]").fill(code);
    await device.getByRole("button", { name: "Continue" }).click();
    await expect(device.locator("main")).toContainText(code);
    await device.getByRole("button", { name: "Continue" }).click();
    await signIn(device, "bob@example.com");
    await device.getByRole("button", { name: "Allow" }).click();
    await expect(device.getByRole("heading", { name: "Device connected" })).toBeVisible();
    await expect(connections.badge("By code")).toHaveText("ACTIVE", { timeout: 20_000 });
    await expect(connections.row("By code")).toContainText("bob@example.com");
    expect(provider.control.tokenRequests.at(-1)).toMatchObject({ grantType: "urn:ietf:params:oauth:grant-type:device_code", status: 200 });
    await elsewhere.close();
  });

  test("device flow: refused at the provider, and said so here", async ({ connections, provider, browser }) => {
    test.setTimeout(60_000);
    const dialog = await connections.begin("Example Accounts");
    await connections.fill({ Name: "By nobody" });
    await dialog.getByText("Somebody else owns the account?").click();
    await dialog.getByRole("button", { name: "Use a code instead" }).click();
    const code = await dialog.getByRole("textbox", { name: "Code" }).inputValue();
    const elsewhere = await browser.newContext();
    const device = await elsewhere.newPage();
    await device.goto(`${provider.issuer}/device`);
    await device.locator("[name=user_code]").fill(code);
    await device.getByRole("button", { name: "Continue" }).click();
    await device.getByRole("button", { name: "Abort" }).click();
    await expect(dialog.locator("#connect-ending")).toContainText("Access was not allowed", { timeout: 20_000 });
    await elsewhere.close();
  });
});
