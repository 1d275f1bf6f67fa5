/**
 * The core on a simulated clock: `Simulation` takes timed inputs and how long each workload really runs, plays the
 * ledger and a cluster that answer everything at once, and sleeps from one event to the next. It decides nothing and
 * knows no randomness. Read `simulation.ts` first.
 */
export { Simulation } from './simulation.js';
export type { SimulationOptions } from './simulation.js';
export type { SimulatedPod } from './simulated-cluster.js';
export type { SimulationInput } from './happening.js';
export { SimulationError } from './simulation-error.js';
