import type { Ms } from './contract/index.js';
import { besidePlans } from './beside-plans.js';
import type { SlipAhead } from './backfill/index.js';
import { maySlipInPlaceOf } from './backfill/index.js';
import type { PodRecord } from './fleet/index.js';
import type { Preempting, Preemption } from './lifecycle/index.js';
import { tryPreempt } from './lifecycle/index.js';
import type { WorkloadRecord } from './queue/index.js';

/**
 * Starts a waiting workload in the place of others, if no plan starts later for it. Where those that would fall first
 * leave seats that a plan needs, others are looked for beside it; one whose own plan is due takes the seats of the plan
 * at last. When it could start but for a plan, that is remembered (`PlanBook.heldBack`). `behind`: pods that are leaving
 * already, in whose place it may stand too.
 */
export function preemptAhead(
  preempting: Preempting,
  record: WorkloadRecord,
  behind: readonly PodRecord[] = [],
): Preemption {
  const { state, nowMs } = preempting;
  let steps = 0;
  let retryAtMs: Ms | undefined;
  let last: Preemption | undefined;
  const slip = besidePlans({ state, nowMs, record }, (avoid) => {
    const tried = preemptBeside(preempting, record, { avoid, behind });
    steps += tried.result.steps;
    last = tried.result;
    if (tried.result.kind === 'blocked') retryAtMs = earlier(retryAtMs, tried.result.retryAtMs);
    return tried.slip;
  });
  if (last?.kind === 'preempted') return { kind: 'preempted', steps };
  if (slip?.kind === 'delays') state.plans.heldBack.set(record.spec.id, slip.plan);
  if (record.tryAgainAtMs !== retryAtMs) state.book.change(record, { tryAgainAtMs: retryAtMs });
  return { kind: 'blocked', retryAtMs, steps };
}

function preemptBeside(
  preempting: Preempting,
  record: WorkloadRecord,
  { avoid, behind }: { readonly avoid: ReadonlySet<number>; readonly behind: readonly PodRecord[] },
): { readonly result: Preemption; readonly slip: SlipAhead | undefined } {
  const { state, nowMs } = preempting;
  let slip: SlipAhead | undefined;
  const result = tryPreempt(preempting, record, {
    avoid,
    behind,
    mayStart: ({ parts, victims }) => {
      slip = maySlipInPlaceOf(state, nowMs, { record, parts, victims });
      return slip.kind === 'allowed';
    },
  });
  if (result.kind === 'preempted' && slip?.kind === 'allowed') for (const plan of slip.moved) state.plans.replace(plan);
  return { result, slip };
}

function earlier(a: Ms | undefined, b: Ms | undefined): Ms | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
