import type { Seat } from './contract/index.js';
import type { CoreState } from './core-state.js';
import type { Plan } from './forecast/index.js';
import { podSize } from './pod-need.js';
import type { DecisionWriter } from './lifecycle/index.js';
import { compareText } from './text-order.js';

/**
 * Tells planned starts, for display: those that are new or have moved, and those given up by who goes on waiting. So for
 * standing holds.
 */
export function tellPlans(state: CoreState, writer: DecisionWriter): void {
  const { plans, book } = state;
  for (const [id] of [...plans.told].sort(([a], [b]) => compareText(a, b))) {
    if (plans.get(id) !== undefined) continue;
    plans.told.delete(id);
    if (book.get(id)?.state !== 'pending') continue;
    if (plans.toldHolds.delete(id) && plans.holdOf(id) !== undefined) continue;
    writer.tell({ kind: 'unplan', workload: id, because: { rule: 'no-plan', facts: {} } });
  }
  for (const plan of plans.all) {
    const before = plans.told.get(plan.workload);
    if (before === plan.startMs) continue;
    plans.told.set(plan.workload, plan.startMs);
    const evicts = plan.victims.length === 0 ? {} : { evicts: plan.victims.length };
    const last = plan.waitsFor.at(-1);
    const waitsFor = last === undefined ? {} : { waitsFor: last };
    const facts = { ...(before === undefined ? {} : { before }), ...waitsFor, ...evicts };
    const rule = before === undefined ? 'planned' : before > plan.startMs ? 'earlier' : 'later';
    const { workload, startMs } = plan;
    const seats = seatsOf(state, plan);
    writer.tell({ kind: 'plan', workload, startMs, seats, holds: 'from-start', because: { rule, facts } });
  }
  tellHolds(state, writer);
}

/** After the plans: of who lost a plan and keeps a hold, the hold is told again. */
function tellHolds({ plans, book, nowMs }: CoreState, writer: DecisionWriter): void {
  for (const id of [...plans.toldHolds].sort(compareText)) {
    if (plans.holdOf(id) !== undefined) continue;
    plans.toldHolds.delete(id);
    if (book.get(id)?.state !== 'pending' || plans.get(id) !== undefined) continue;
    writer.tell({ kind: 'unplan', workload: id, because: { rule: 'hold-ended', facts: {} } });
  }
  for (const { workload, nodes } of plans.holds) {
    if (plans.toldHolds.has(workload)) continue;
    plans.toldHolds.add(workload);
    const because = { rule: 'patience-ended', facts: { nodes: nodes.length, first: nodes[0] ?? '' } };
    writer.tell({ kind: 'plan', workload, startMs: nowMs, seats: [], holds: 'standing', because });
  }
}

function seatsOf(state: CoreState, plan: Plan): readonly Seat[] {
  const record = state.book.get(plan.workload);
  const counts = new Map<string, number>();
  return plan.pods.map(({ podSet: name, node, slots }) => {
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    const podSet = record?.spec.podSets.find((other) => other.name === name);
    return {
      pod: { workload: plan.workload, incarnation: 1 + (record?.incarnation ?? 0), podSet: name, index },
      node,
      slots,
      ...(podSet === undefined ? { cpuMilli: 0, memoryMib: 0 } : podSize(podSet)),
    };
  });
}
