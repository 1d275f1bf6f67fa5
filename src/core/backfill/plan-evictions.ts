import type { Ms } from '../contract/index.js';
import type { Plan } from '../forecast/index.js';
import { brakedUntilMs, findVictims, protectionEnds } from '../preemption/index.js';
import { chargesOfParts, holdingsOfParts } from '../start/index.js';
import { victimsOf } from './belongings.js';
import type { PlanFrame } from './plan-frame.js';
import { CHANGES_MAX } from './plan-frame.js';

/** Times that are tried until one is found; more only between that one and those before it. */
const PROBES_MAX = 16;

/**
 * A start before `beforeMs` that evicts others once their protection has ended, having the right to by then. Without it
 * an owner could wait for ever behind borrowers of which some are always protected. Tried are the times at which
 * somebody's protection or the window of the brake ends, or something comes free. Who may be taken then may be taken
 * later, until their side borrows no more: so it is looked ahead from now on in doubling steps, then in between, and the
 * earliest is found by halves between a time that is too early and one that is not.
 */
export function planWithEvictions(frame: PlanFrame, beforeMs: Ms): Plan | undefined {
  const times = timesToTry(frame, beforeMs);
  const tried = new Set<number>();
  for (const at of spreadOver(times.length)) {
    if (tried.has(at)) continue;
    const plan = planAt(frame, times[at]);
    if (plan !== undefined) {
      const tooEarly = Math.max(-1, ...[...tried].filter((other) => other < at));
      return earliest(frame, { times, tooEarly, enough: at, plan });
    }
    tried.add(at);
    if (tried.size === PROBES_MAX) return undefined;
  }
  return undefined;
}

/** All numbers below `count`: 0, 1, 3, 7 and so on, then those between, ever closer; some more than once. */
function* spreadOver(count: number): Generator<number> {
  let step = 1;
  for (; step <= count; step *= 2) yield step - 1;
  for (; step >= 1; step /= 2) for (let at = step - 1; at < count; at += step) yield at;
}

function earliest(
  frame: PlanFrame,
  known: { readonly times: readonly Ms[]; readonly tooEarly: number; readonly enough: number; readonly plan: Plan },
): Plan {
  let { tooEarly, enough, plan } = known;
  while (enough - tooEarly > 1) {
    const middle = (tooEarly + enough) >> 1;
    const earlier = planAt(frame, known.times[middle]);
    if (earlier === undefined) tooEarly = middle;
    else {
      enough = middle;
      plan = earlier;
    }
  }
  return plan;
}

/**
 * Sorted; none where nobody may be evicted. Now is left out where nobody is protected, for who may be taken then is taken
 * at once or is not enough. But a plan with evictions that is late stays one, and what ends just now is not free before
 * that is committed.
 */
function timesToTry({ state, record, when: { nowMs }, walk, startFrom }: PlanFrame, beforeMs: Ms): readonly Ms[] {
  const ends = protectionEnds(state, record, nowMs);
  const before = state.plans.get(record.spec.id)?.victims ?? [];
  if (ends.length + before.length === 0) return [];
  const changes = walk.changes
    .slice(0, CHANGES_MAX)
    .flatMap((change) => (change.kind === 'plan-starts' ? [] : [change.atMs]));
  const windowEndMs = brakedUntilMs(state, Infinity, nowMs) ?? nowMs;
  const times = new Set(
    [nowMs, windowEndMs, ...ends, ...changes].map((endMs) => startFrom(Math.max(endMs, record.evictsFromMs ?? 0))),
  );
  const firstMs = before.length > 0 || ends.some((endMs) => endMs > nowMs) ? nowMs : nowMs + 1;
  return [...times].filter((timeMs) => timeMs >= firstMs && timeMs < beforeMs).sort((a, b) => a - b);
}

/** With all that is to change until then, and in the place of those who can be taken then. */
function planAt(frame: PlanFrame, startMs: Ms | undefined): Plan | undefined {
  if (startMs === undefined) return undefined;
  const { state, record, when, walk } = frame;
  const { tx, quota } = state;
  const next = walk.changes.findIndex(({ atMs }) => atMs > startMs);
  const at = next < 0 ? walk.changes.length : next;
  const start = tx.mark();
  for (const change of walk.changes.slice(0, at)) walk.apply(change);
  const givingWay = (when.arrival?.victims ?? []).map(({ workload }) => workload);
  const gone = new Set([...givingWay, ...walk.goneBefore(at)]);
  const search = findVictims(state, record, { nowMs: startMs, gone });
  const fallen = search.kind === 'found' ? search.victims : [];
  const victims = victimsOf(fallen);
  const evictions = fallen.filter(({ unit }) => unit.kind === 'whole').length;
  const plan = walk.without(victims, () => {
    if (search.kind === 'none' || brakedUntilMs(state, evictions, startMs) !== undefined) return undefined;
    const charges = chargesOfParts(state, record, search.parts);
    for (const holding of holdingsOfParts(search.parts)) tx.take(holding);
    for (const charge of charges) quota.charge(charge);
    const isHindering = frame.hindered(at, startMs) !== undefined;
    return isHindering ? undefined : frame.planOf(search.parts, { at, startMs, charges, victims });
  });
  tx.rollbackTo(start);
  return plan;
}
