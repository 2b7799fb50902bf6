// What tests ask of the misbehaving server and change in it, over HTTP below `/control/`; in process by the same names.
//   GET  log, tokens, presentations, scenarios      `?scenario=NAME` for one of them
//   POST reset        {scenario?}                   forgets log, tokens, settings and faults
//   POST settings     {scenario, user?, lifetime?, delay_ms?, grace_ms?}
//   POST faults       {scenario, at, faults: [...]} what the next requests at authorize, exchange, refresh, revoke, me or
//                                                   lookup meet: names of faults.mjs, or "well"
//   POST revoke       {scenario}                    ends all that was granted
//   POST expire       {scenario}                    ends the access tokens alone
// A scenario named `NAME~ANYTHING` is one of its own, for tests that run at the same time.
import { faults } from "./faults.mjs";
import { createTokens } from "./tokens.mjs";
import { scenarios } from "./scenarios.mjs";

const AT = ["authorize", "exchange", "refresh", "revoke", "me", "lookup"];

/**
 * @typedef {object} Instance
 * @property {import("./scenario.mjs").Scenario} scenario
 * @property {ReturnType<typeof createTokens>} tokens
 * @property {Map<string, string[]>} queued faults by where they come
 */

export function createControl() {
  /** @type {Map<string, Instance>} */
  const instances = new Map();
  /** @type {Record<string, unknown>[]} */
  const log = [];

  const known = new Map(scenarios.map((scenario) => [scenario.name, scenario]));
  const scenarioOf = (/** @type {string} */ name) => known.get(name.split("~")[0]);

  /** @param {string} name @returns {Instance} */
  function instance(name) {
    const scenario = scenarioOf(name);
    if (!scenario) throw new Error(`there is no scenario ${name}`);
    const found = instances.get(name) ?? { scenario, tokens: createTokens(scenario.wire), queued: new Map() };
    instances.set(name, found);
    return found;
  }

  return {
    instance, requests: log,
    knows: (/** @type {string} */ name) => scenarioOf(name) !== undefined,
    /** @param {{ scenario?: string }} which */
    log: ({ scenario }) => ({ requests: log.filter((entry) => !scenario || entry.scenario === scenario) }),
    /** Each connection's newest tokens, the oldest connection first. */
    tokens: ({ scenario }) => ({
      connections: instance(scenario).tokens.families.map(({ user, scopes, ended, refreshes, latest }) => ({
        user, scopes, ended, refreshes, access_token: latest?.access, refresh_token: latest?.refresh, expires_at: latest?.ends.toISOString(),
      })),
    }),
    /** How often each refresh token was presented, and the highest of these numbers. */
    presentations({ scenario }) {
      const found = Object.fromEntries(instance(scenario).tokens.presentations);
      return { presentations: found, most: Object.values(found).reduce((most, times) => Math.max(most, times), 0) };
    },
    scenarios: () => ({ scenarios: scenarios.map(({ wire, ...told }) => told) }),
    reset({ scenario } = {}) {
      const kept = log.filter((entry) => scenario && entry.scenario !== scenario);
      log.splice(0, log.length, ...kept);
      if (scenario) instances.delete(scenario);
      else instances.clear();
      return {};
    },
    settings({ scenario, ...changes }) {
      const { settings } = instance(scenario).tokens;
      const unknown = Object.keys(changes).filter((name) => !(name in settings));
      if (unknown.length > 0) throw new Error(`there is no setting ${unknown.join(", ")}`);
      return Object.assign(settings, changes);
    },
    faults({ scenario, at, faults: names }) {
      const unknown = names.filter((name) => name !== "well" && !(name in faults));
      if (unknown.length > 0) throw new Error(`there is no fault ${unknown.join(", ")}`);
      if (!AT.includes(at)) throw new Error(`faults come at ${AT.join(", ")}, not at ${at}`);
      instance(scenario).queued.set(at, [...names]);
      return {};
    },
    revoke: ({ scenario }) => (instance(scenario).tokens.endAll(), {}),
    expire: ({ scenario }) => (instance(scenario).tokens.expireAll(), {}),
  };
}

const READ = ["log", "tokens", "presentations", "scenarios"];
const CHANGE = ["reset", "settings", "faults", "revoke", "expire"];

/**
 * @param {ReturnType<typeof createControl>} control
 * @param {{ method: string, url: URL, body: string, response: import("node:http").ServerResponse }} call
 */
export function controlOverHttp(control, { method, url, body, response }) {
  const name = url.pathname.slice("/control/".length);
  const say = (status, said) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
  try {
    if (method === "GET" && READ.includes(name)) return say(200, control[name](Object.fromEntries(url.searchParams)));
    if (method === "POST" && CHANGE.includes(name)) return say(200, control[name](JSON.parse(body || "{}")));
    return say(404, { error: `there is no ${method} ${url.pathname}` });
  } catch (error) {
    return say(400, { error: /** @type {Error} */ (error).message });
  }
}
