/**
 * What a start would be: a workload's minimum in flavors that quota allows, on seats that exist. Promises to decide
 * nothing and to charge nothing. Lifecycle starts with it, preemption and backfill try with it, explanations ask it.
 * Read `find-start.ts` first.
 */
export { addCharges, chargesOf, chargesOfParts, holdingsOfParts, subtractCharges, sumCharges } from './charges.js';
export { choicesToPlace, findStart, flavorChoices, gangParts, growStart, hasPlace, placeChoice } from './find-start.js';
export type { StartPart } from './find-start.js';
export { findStartNear } from './find-start-near.js';
export { chargeOfPod, costOfPod, flavorOfFound, wishOf } from './pod-cost.js';
export { requestsOf, tournamentOf } from './requests.js';
export { avoidedRows, minimumOf, startAskOf, surplusFrom } from './start-ask.js';
export type { StartAsk } from './start-ask.js';
export { standingPart } from './standing-part.js';
