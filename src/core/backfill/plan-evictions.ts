import type { Ms } from '../contract/index.js';
import type { Plan } from '../forecast/index.js';
import { findVictims, protectionEnds } from '../preemption/index.js';
import { chargesOfParts, holdingsOfParts } from '../start/index.js';
import { victimsOf } from './belongings.js';
import type { PlanFrame } from './plan-frame.js';

/**
 * A start before `beforeMs` that evicts others once their protection has ended, having the right to by then. Without it
 * an owner could wait for ever behind borrowers of which some are always protected. The earliest among the times at
 * which somebody's protection ends or something comes free, found by halves: who may be taken then may be taken later.
 */
export function planWithEvictions(frame: PlanFrame, beforeMs: Ms): Plan | undefined {
  const times = timesToTry(frame, beforeMs);
  let tooEarly = -1;
  let enough = times.length - 1;
  let plan = planAt(frame, times[enough]);
  while (plan !== undefined && enough - tooEarly > 1) {
    const middle = (tooEarly + enough) >> 1;
    const earlier = planAt(frame, times[middle]);
    if (earlier === undefined) tooEarly = middle;
    else {
      enough = middle;
      plan = earlier;
    }
  }
  return plan;
}

/**
 * Sorted; none where nobody is protected, for who may be taken then is taken at once or is not enough. But a plan with
 * evictions that is late stays one, and what ends just now is not free before that is committed.
 */
function timesToTry({ state, record, when: { nowMs }, walk, roundedUp }: PlanFrame, beforeMs: Ms): readonly Ms[] {
  const ends = protectionEnds(state, record, nowMs);
  const before = state.plans.get(record.spec.id)?.victims ?? [];
  if (ends.length + before.length === 0) return [];
  const changes = walk.changes.flatMap((change) => (change.kind === 'plan-starts' ? [] : [change.atMs]));
  const times = new Set(
    [nowMs, ...ends, ...changes].map((endMs) => roundedUp(Math.max(endMs, record.evictsFromMs ?? 0))),
  );
  return [...times].filter((timeMs) => timeMs >= nowMs && timeMs < beforeMs).sort((a, b) => a - b);
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
  const fallen = (when.arrival?.victims ?? []).map(({ workload }) => workload);
  const gone = new Set([...fallen, ...walk.goneBefore(at)]);
  const search = findVictims(state, record, { nowMs: startMs, gone });
  const victims = search.kind === 'found' ? victimsOf(search.victims) : [];
  const plan = walk.without(victims, () => {
    if (search.kind === 'none') return undefined;
    const charges = chargesOfParts(state, record, search.parts);
    for (const holding of holdingsOfParts(search.parts)) tx.take(holding);
    for (const charge of charges) quota.charge(charge);
    const isHindering = frame.hindered(at, startMs) !== undefined;
    return isHindering ? undefined : frame.planOf(search.parts, { at, startMs, charges, victims });
  });
  tx.rollbackTo(start);
  return plan;
}
