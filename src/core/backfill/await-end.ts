import type { Charge, Ms, NodeName, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Plan } from '../forecast/index.js';
import { stayOf } from '../queue/index.js';
import { holdingsOf } from './belongings.js';
import { expectedEndMs } from './run-time-estimates.js';

/** Those that a plan waits for longest; more say nothing. */
export const WAITS_MAX = 64;

/** What a start to come needs of what others have now; of `charges` only where quota is short. */
export interface Need {
  readonly nodes: ReadonlySet<NodeName>;
  readonly charges: readonly Charge[];
}

/** Has the workload something of it? Also when its start is of this settle and not said yet. */
export function hasOf(state: CoreState, id: WorkloadId, { nodes, charges }: Need): boolean {
  const { book, fleet } = state;
  if (holdingsOf(state, id).some(({ row }) => nodes.has(fleet.recordOf(row).spec.name))) return true;
  const paid = book.get(id)?.charges ?? [];
  return charges.some(({ flavor }) => paid.some((charge) => charge.flavor === flavor));
}

/**
 * It has started or grown, and plans stand as they were. Those that need what it has, and start when it is expected to
 * have ended, wait for that end too from now on: else nobody would look at them when it is late.
 */
export function awaitEnd(state: CoreState, nowMs: Ms, id: WorkloadId): void {
  const endMs = endOf(state, nowMs, id);
  if (endMs === undefined) return;
  for (const plan of state.plans.all) {
    if (plan.startMs < endMs || plan.waitsFor.includes(id) || !hasOf(state, id, needOf(state, plan))) continue;
    const ends = [...plan.waitsFor, id].flatMap((other) => {
      const atMs = endOf(state, nowMs, other);
      return atMs === undefined ? [] : [{ other, atMs }];
    });
    const waitsFor = ends.sort((a, b) => a.atMs - b.atMs).map(({ other }) => other);
    state.plans.replace({ ...plan, waitsFor: waitsFor.slice(-WAITS_MAX) });
  }
}

function needOf({ quota }: CoreState, { pods, charges }: Plan): Need {
  const isShort = charges.some((charge) => quota.fits(charge).kind === 'exceeds');
  return { nodes: new Set(pods.map(({ node }) => node)), charges: isShort ? charges : [] };
}

function endOf(state: CoreState, nowMs: Ms, id: WorkloadId): Ms | undefined {
  const record = state.book.get(id);
  const stay = record && stayOf(record);
  return stay && expectedEndMs(state, stay, nowMs);
}
