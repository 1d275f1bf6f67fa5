import type { StartDraft } from './lifecycle/index.js';
import type { GrowthGuard } from './lifecycle/index.js';
import { growWorkload } from './lifecycle/index.js';
import { compareByOrder, orderKeyOf, stayOf } from './queue/index.js';
import { growBeside, mayGoAhead } from './start-ahead.js';
import type { Visiting } from './visit.js';

/**
 * Growth, on what every waiting minimum has left: workloads that start in this settle and running ones that are short
 * of pods, in one order. Nothing is evicted for it, and no plan waits longer for it. The drafts come back as they are
 * then, in the order given.
 */
export function growInOrder(visiting: Visiting, drafts: readonly StartDraft[]): readonly StartDraft[] {
  const { state, nowMs } = visiting;
  const grown = new Map(drafts.map((draft) => [draft.record.spec.id, draft]));
  const running = state.book.groups.growing.active().map((id) => state.book.get(id));
  const inOrder = [...drafts.map(({ record }) => record), ...running.filter((record) => record !== undefined)]
    .map((record) => orderKeyOf(state.policy.order, record, nowMs))
    .sort(compareByOrder);
  for (const { id } of inOrder) {
    const draft = grown.get(id);
    const record = state.book.get(id);
    if (draft !== undefined) grown.set(id, growBeside(state, nowMs, draft));
    else if (record !== undefined) growWorkload(visiting, record, besidePlans(visiting));
  }
  return drafts.map((draft) => grown.get(draft.record.spec.id) ?? draft);
}

/** What runs past the time that was told for it may run for ever. */
function besidePlans({ state, nowMs }: Visiting): GrowthGuard {
  return (record, { parts, charges }) => {
    if (state.plans.all.length + state.plans.holds.length === 0) return true;
    const toldEndMs = stayOf(record)?.endMs ?? Infinity;
    const endMs = toldEndMs > nowMs ? toldEndMs : Infinity;
    const slip = mayGoAhead(state, nowMs, { what: 'growth', record, parts, charges, endMs });
    if (slip.kind === 'allowed' && slip.moved.length === 0) return true;
    const by = slip.kind === 'delays' ? slip.plan : slip.moved[0]?.workload;
    if (by !== undefined) state.plans.heldBack.set(record.spec.id, by);
    return false;
  };
}
