import type { Charge } from './contract/index.js';
import type { CoreState } from './core-state.js';
import { awaitEnd, mayGoAhead } from './backfill/index.js';
import type { DecidedStart, GrowthGuard, StartDraft } from './lifecycle/index.js';
import { growWorkload, missingCharges } from './lifecycle/index.js';
import type { Contender, WorkloadRecord } from './queue/index.js';
import { compareByOrder, firstByShares, orderKeyOf, stayOf } from './queue/index.js';
import { addCharges, chargesOf } from './start/index.js';
import { growBeside } from './start-ahead.js';
import type { Visiting } from './visit.js';

/**
 * Growth, on what every waiting minimum has left: workloads that start in this settle and running ones that are short
 * of pods, in the order in which they would be visited if they asked for what they are short of; each takes what it can
 * get, for to grow twice is to restart twice. Nothing is evicted for it, and no plan waits longer for it. The drafts
 * come back as they are then, in the order given.
 */
export function growInOrder(visiting: Visiting, drafts: readonly DecidedStart[]): readonly DecidedStart[] {
  const { state, nowMs } = visiting;
  const grown = new Map(drafts.map((draft) => [draft.record.spec.id, draft]));
  const starting = drafts.filter(isShort).map((draft) => contender(visiting, draft.record, shortOf(state, draft)));
  const running = state.book.groups.growing
    .active()
    .map((id) => state.book.get(id))
    .filter((record) => record !== undefined)
    .map((record) => contender(visiting, record, missingCharges(state, record)));
  for (const { key } of inOrder(state, [...starting, ...running])) {
    const draft = grown.get(key.id);
    const record = state.book.get(key.id);
    if (draft !== undefined) grown.set(key.id, { ...draft, ...growBeside(state, nowMs, draft) });
    else if (record !== undefined) growWorkload(visiting, record, delayingNoPlan(visiting));
    awaitEnd(state, nowMs, key.id);
  }
  return drafts.map((draft) => grown.get(draft.record.spec.id) ?? draft);
}

function contender({ state, nowMs }: Visiting, record: WorkloadRecord, request: readonly Charge[]): Contender {
  return { key: orderKeyOf(state.policy.order, record, nowMs), queue: record.spec.queue, request };
}

/** One after the other: what one has got changes the shares, and so who comes next. */
function* inOrder({ policy, quota }: CoreState, contenders: readonly Contender[]): Generator<Contender> {
  const lastFirst = [...contenders].sort((a, b) => compareByOrder(b.key, a.key));
  const lanes = new Map<string, Contender[]>();
  for (const one of lastFirst) {
    const name = policy.order === 'fair' ? one.queue : '';
    const lane = lanes.get(name);
    if (lane === undefined) lanes.set(name, [one]);
    else lane.push(one);
  }
  for (;;) {
    const heads = [...lanes.values()].map((lane) => lane.at(-1)).filter((one) => one !== undefined);
    const next = heads.length < 2 ? heads[0] : firstByShares(quota, heads);
    if (next === undefined) return;
    for (const lane of lanes.values()) if (lane.at(-1) === next) lane.pop();
    yield next;
  }
}

function isShort({ parts }: StartDraft): boolean {
  return parts.some(({ podSet, pods }) => pods.length < podSet.count);
}

function shortOf(state: CoreState, { record, parts }: StartDraft): readonly Charge[] {
  return parts.reduce<readonly Charge[]>((sum, part) => {
    return addCharges(sum, chargesOf(state, record, { part, pods: part.podSet.count - part.pods.length }));
  }, []);
}

/** What runs past the time that was told for it may run for ever. */
function delayingNoPlan({ state, nowMs }: Visiting): GrowthGuard {
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
