// What one scenario has issued, and what becomes of it. A family is one connection: all that followed from one consent.
import { createHash, randomBytes } from "node:crypto";
import { USER } from "./scenario.mjs";

/**
 * @typedef {object} Family
 * @property {string} user
 * @property {string[]} scopes
 * @property {boolean} ended
 * @property {number} refreshes requests in good form to renew it
 * @property {number} issuedAt
 * @property {import("./scenario.mjs").Tokens} [latest]
 *
 * @typedef {{ family: Family, usedAt?: number, answer?: import("./scenario.mjs").Tokens }} RefreshToken
 * @typedef {{ code: string, redirectUri: string, challenge?: string, family: Family, used: boolean }} Code
 */

const token = (kind) => `${kind}-${randomBytes(18).toString("base64url")}`;

/** @param {import("./scenario.mjs").Wire} wire */
export function createTokens(wire) {
  const settings = { user: USER, lifetime: 3600, delay_ms: 60_000, grace_ms: 30_000 };
  /** @type {Family[]} */
  const families = [];
  /** @type {Map<string, Code>} */
  const codes = new Map();
  /** @type {Map<string, RefreshToken>} */
  const refreshTokens = new Map();
  /** @type {Map<string, { family: Family, ends: number }>} */
  const accessTokens = new Map();
  /** @type {Map<string, number>} */
  const presentations = new Map();

  /** @param {Family} family @param {string} [refresh] the one that stays @returns {import("./scenario.mjs").Tokens} */
  function issue(family, refresh) {
    const { lifetime } = settings;
    const tokens = { access: token("at"), refresh: refresh ?? token("rt"), scopes: family.scopes, lifetime, ends: new Date(Date.now() + lifetime * 1000), renewed: family.latest !== undefined };
    accessTokens.set(tokens.access, { family, ends: tokens.ends.getTime() });
    if (!refresh) refreshTokens.set(tokens.refresh, { family });
    family.issuedAt = Date.now();
    family.latest = tokens;
    return tokens;
  }

  /** @param {Family} family @returns {import("./scenario.mjs").Tokens} */
  function longer(family) {
    const { latest } = family;
    if (!latest) throw new Error("nothing was issued yet");
    const ends = new Date(Date.now() + settings.lifetime * 1000);
    accessTokens.set(latest.access, { family, ends: ends.getTime() });
    family.issuedAt = Date.now();
    family.latest = { ...latest, ends, renewed: true };
    return family.latest;
  }

  return {
    settings, families, presentations,
    /** @param {{ redirectUri: string, challenge?: string, scopes: string[] }} request */
    consent({ redirectUri, challenge, scopes }) {
      const family = { user: settings.user, scopes: wire.grants ?? scopes, ended: false, refreshes: 0, issuedAt: 0 };
      const code = token("code");
      codes.set(code, { code, redirectUri, challenge, family, used: false });
      return code;
    },
    /** Trades a code; throws the reason why not. */
    trade(code, redirectUri, verifier) {
      const found = codes.get(code);
      if (!found) throw new Error("the code is unknown");
      if (found.used) throw new Error("the code was used before");
      if (found.redirectUri !== redirectUri) throw new Error("the redirect URI is not that of the authorization request");
      if (found.challenge && createHash("sha256").update(verifier ?? "").digest("base64url") !== found.challenge) throw new Error("the verifier does not fit the challenge");
      found.used = true;
      families.push(found.family);
      return issue(found.family);
    },
    /** The family a refresh token is of, used or not; counts the presentation. */
    present(refreshToken) {
      presentations.set(refreshToken, (presentations.get(refreshToken) ?? 0) + 1);
      return refreshTokens.get(refreshToken)?.family;
    },
    /** Renews by a refresh token that was presented; throws the reason why not. */
    renew(refreshToken) {
      const found = refreshTokens.get(refreshToken);
      if (!found) throw new Error("the refresh token is unknown");
      if (found.family.ended) throw new Error("the grant has ended");
      const { reuse = "keeps" } = wire;
      if (wire.refreshIssuesNothing) return longer(found.family);
      if (reuse === "keeps") return issue(found.family, refreshToken);
      if (found.usedAt !== undefined) {
        if (reuse === "forgives" && found.answer && Date.now() - found.usedAt <= settings.grace_ms) return found.answer;
        if (reuse !== "rotates") found.family.ended = true;
        throw new Error(`the refresh token was used before${found.family.ended ? ": the whole family ends" : ""}`);
      }
      found.usedAt = Date.now();
      found.answer = issue(found.family);
      return found.answer;
    },
    /** Trades an access token for a fresh one, and the old one ends. */
    prolong(accessToken) {
      const family = this.owner(accessToken);
      if (!family) throw new Error("the access token is unknown or has ended");
      accessTokens.delete(accessToken);
      return issue(family, family.latest?.refresh);
    },
    /** @returns {Family | undefined} whose access token this is, while it lasts */
    owner(accessToken) {
      const found = accessTokens.get(accessToken);
      return found && !found.family.ended && found.ends > Date.now() ? found.family : undefined;
    },
    /** A further token for a family: Slack's for the user beside the one for the bot. */
    alias(accessToken, other) {
      const found = accessTokens.get(accessToken);
      if (found) accessTokens.set(other, found);
    },
    /** Ends the family of an access or refresh token; says whether there was one. */
    revoke(some) {
      const family = refreshTokens.get(some)?.family ?? accessTokens.get(some)?.family;
      if (family) family.ended = true;
      return family !== undefined;
    },
    endAll: () => families.forEach((family) => (family.ended = true)),
    expireAll: () => accessTokens.clear(),
  };
}
