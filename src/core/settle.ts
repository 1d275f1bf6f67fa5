import type { Constraint, Ms, Settlement, WorkloadId } from './contract/index.js';
import type { CoreState } from './core-state.js';
import { bindingOf } from './explanation/index.js';
import { growInOrder } from './grow-in-order.js';
import { announceStart, clockMoved, DecisionWriter, reconcileWorkload } from './lifecycle/index.js';
import { plansDueMs } from './backfill/index.js';
import { tellPlans } from './plan-words.js';
import { compareByOrder, orderKeyOf } from './queue/index.js';
import { visitWaiting } from './visit.js';

/**
 * One settle: the clock, then workloads whose pods demand something, then gangs that lost pods are started anew, then
 * the waiting in their order, then growth.
 * A blocked workload holds up only those who would make its planned start later. Elastic workloads grow only after
 * every waiting minimum had its turn, and no plan starts later for it.
 */
export function settle(state: CoreState, nowMs: Ms): Settlement {
  const writer = new DecisionWriter(state);
  state.work.settles++;
  state.clock(nowMs);
  state.shapes.scoring.renew();
  clockMoved(state, nowMs);
  const touched = state.book.takeTouched();
  const byOrder = [...touched].sort((a, b) =>
    compareByOrder(orderKeyOf(state.policy.order, a, nowMs), orderKeyOf(state.policy.order, b, nowMs)),
  );
  for (const record of byOrder) reconcileWorkload({ state, writer, nowMs }, record);
  const visiting = { state, writer, nowMs };
  const { drafts, blocked, until } = visitWaiting(visiting);
  // A settle that was cut short has not given every waiting minimum its turn.
  const grown = until === 'all-visited' ? growInOrder(visiting, drafts) : drafts;
  for (const draft of grown) announceStart(visiting, draft);
  for (const head of blocked) tellGroup({ state, writer }, head);
  for (const { head, binding } of state.book.groups.joined()) tellGroup({ state, writer }, head, binding);
  tellPlans(state, writer);
  state.journal.commit();
  const dueMs = Math.min(state.book.nextDueMs() ?? Infinity, plansDueMs(state, nowMs) ?? Infinity);
  const truncated = until === 'budget';
  const wakeAtMs = truncated ? nowMs : dueMs === Infinity ? undefined : dueMs;
  return { decisions: writer.decisions, wakeAtMs, truncated };
}

/** What binds the head binds its group; said when it is news. `known`: from when its group was parked. */
function tellGroup(
  { state, writer }: { readonly state: CoreState; readonly writer: DecisionWriter },
  head: WorkloadId,
  known?: Constraint['kind'],
): void {
  const record = state.book.get(head);
  if (record === undefined) return;
  const binding = known ?? bindingOf(state, record);
  const workloads = state.book.groups.tell(head, binding);
  if (workloads.length === 0) return;
  const facts = { queue: record.spec.queue, workloads: workloads.length };
  writer.tell({ kind: 'wait', workload: head, workloads, binding, because: { rule: 'blocked', facts } });
}
