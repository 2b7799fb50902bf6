// All scenarios of the misbehaving server.
import { deviations } from "./deviations.mjs";
import { providerFaults } from "./provider-faults.mjs";

/** @type {import("./scenario.mjs").Scenario[]} */
export const scenarios = [...deviations, ...providerFaults];
