// Bodies of token answers, as providers write them.

/** @typedef {import("./scenario.mjs").Tokens} Tokens */

/** RFC 6749, section 5.1. @param {Tokens} tokens */
export const standard = ({ access, refresh, scopes, lifetime }) => ({
  access_token: access, token_type: "Bearer", expires_in: lifetime, refresh_token: refresh, scope: scopes.join(" "),
});

/** The standard answer with changes; what is `undefined` is left out. @param {(tokens: Tokens) => Record<string, unknown>} changes */
export const changed = (changes) => (/** @type {Tokens} */ tokens) => ({ ...standard(tokens), ...changes(tokens) });

/** The standard answer with the expiry as told here, under `expires_at` where it is a moment. */
export const expiring = (/** @type {(tokens: Tokens) => unknown} */ value, name = "expires_in") =>
  changed((tokens) => ({ expires_in: undefined, [name]: value(tokens) }));

/** A span as `D:HH:MM`. @param {number} seconds */
export function daysHoursMinutes(seconds) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  return `${Math.floor(seconds / 86_400)}:${two((seconds % 86_400) / 3600)}:${two((seconds % 3600) / 60)}`;
}

/** A moment as ISO 8601 with an offset and microseconds. @param {Date} moment */
export function withOffset(moment) {
  const local = new Date(moment.getTime() + 2 * 3_600_000).toISOString();
  return local.replace(/\.(\d{3})Z$/, ".$1000+02:00");
}
