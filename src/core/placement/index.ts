/**
 * Where pods go. Promises: a gang is placed whole or not at all, a required level is never relaxed, one pod set is
 * placed whenever a place exists, and equal fleets give equal placements. Read `place-mixed-gang.ts` first, then
 * `regions.ts` (which domain) and `place-gang.ts` (which nodes of it).
 */
export { devicePods, podsInFree, podsThatFit } from './feasible-nodes.js';
export { FitSums, mayFit } from './fit-sums.js';
export { mayMatchNodeAffinity } from './node-affinity.js';
export { growPart } from './place-gang.js';
export { takeSeat } from './take-seat.js';
export { hasLeftSlice, mayOpenNeighbours, withoutHeldSlices } from './held-slices.js';
export type { GangPart, PlacedPart, PlacedPod } from './gang-part.js';
export { PodRules } from './pod-rules.js';
export { placeGang } from './place-mixed-gang.js';
export { PodShape, profileOn, ShapeBook, whyNever } from './pod-shape.js';
export type { RuledOut } from './pod-shape.js';
export type { MixRecord } from './workload-mix.js';
