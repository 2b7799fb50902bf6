// Where the authorization server keeps what it issued: in memory, without the limit of 1,000 entries that the
// package's own store has.

/** Kinds of entry that end together with the consent they came from. */
const OF_A_GRANT = new Set(["AccessToken", "AuthorizationCode", "RefreshToken", "DeviceCode"]);

/** @typedef {{ kind: string, id: string, payload: Record<string, any>, ends: number }} Entry */

export function createStore() {
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  const keyOf = (kind, id) => `${kind}:${id}`;

  function read(kind, id) {
    const key = keyOf(kind, id);
    const entry = entries.get(key);
    if (!entry || entry.ends > Date.now()) return entry?.payload;
    entries.delete(key);
    return undefined;
  }

  function revokeByGrantId(grantId) {
    for (const [key, { kind, payload }] of entries) {
      if (OF_A_GRANT.has(kind) && payload.grantId === grantId) entries.delete(key);
    }
  }

  const findBy = (kind, property, value) => {
    for (const entry of entries.values()) {
      if (entry.kind === kind && entry.payload[property] === value) return read(kind, entry.id);
    }
    return undefined;
  };

  /** What the package asks for: one adapter a kind. @param {string} kind */
  const adapter = (kind) => ({
    upsert: async (id, payload, seconds) => {
      entries.set(keyOf(kind, id), { kind, id, payload, ends: seconds ? Date.now() + seconds * 1000 : Infinity });
    },
    find: async (id) => read(kind, id),
    findByUid: async (uid) => findBy(kind, "uid", uid),
    findByUserCode: async (userCode) => findBy(kind, "userCode", userCode),
    destroy: async (id) => void entries.delete(keyOf(kind, id)),
    consume: async (id) => {
      const payload = read(kind, id);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    revokeByGrantId: async (grantId) => revokeByGrantId(grantId),
  });

  return {
    adapter,
    /** The access and refresh tokens of this user that are still good, as they were given out. */
    tokensOf: (accountId) =>
      [...entries.values()]
        .filter(({ kind, id, payload }) => ["AccessToken", "RefreshToken"].includes(kind) && payload.accountId === accountId && !payload.consumed && read(kind, id))
        .map(({ id }) => id),
    /** What devices were given to ask with. */
    deviceCodes: () => [...entries.values()].filter(({ kind }) => kind === "DeviceCode").map(({ id }) => id),
    /** Ends all that this user ever consented to; returns how many consents that were. */
    revokeAccount(accountId) {
      const grants = [...entries.values()].filter(({ kind, payload }) => kind === "Grant" && payload.accountId === accountId);
      for (const { id } of grants) {
        revokeByGrantId(id);
        entries.delete(keyOf("Grant", id));
      }
      return grants.length;
    },
  };
}
