import type { PodRef } from '../../core/index.js';
import { teamChain, type AuditEntry } from '../audit/audit-entry.js';
import type { Of } from './decisions-of-kind.js';
import { beneficiaryName } from './eviction-sentences.js';
import type { DecisionSet } from './ledger.js';
import type { LockedBooks } from './locked-books.js';

export type Audited = Of<'start'> | Of<'grow'> | Of<'shrink'> | Of<'evict'> | Of<'finish'>;

/** One row for each change that was decided of a workload's state or size, in the chain of its team. */
export function auditsOf(
  { books, sets }: { readonly books: LockedBooks; readonly sets: readonly DecisionSet[] },
  decisions: readonly Audited[],
): readonly AuditEntry[] {
  const policyOf = new Map(sets.map(({ set, policy }) => [set, policy]));
  return decisions.map((decision): AuditEntry => {
    const workload = books.workloads.get(decision.workload);
    const policy = policyOf.get(decision.set);
    return {
      actor: 'scheduler',
      chain: teamChain(workload?.team ?? ''),
      action: `workload.${decision.kind}`,
      subject: `workload/${workload?.name ?? ''}`,
      before: { state: workload?.state, incarnation: workload?.incarnation },
      after: auditedOf(decision, books),
      reason: decision.kind === 'evict' ? decision.reason : decision.because.rule,
      ...(policy === undefined ? {} : { policy }),
    };
  });
}

function auditedOf(decision: Audited, books: LockedBooks): Readonly<Record<string, unknown>> {
  switch (decision.kind) {
    case 'start':
    case 'grow': {
      const { incarnation, seats, charges } = decision;
      return {
        ...(decision.kind === 'start' ? { state: 'starting' } : {}),
        incarnation,
        seats: seats.map(({ pod, node, slots }) => seatText(pod, node, slots)),
        charges,
      };
    }
    case 'shrink': {
      const { incarnation, pods, charges } = decision;
      return { incarnation, pods: pods.map(podText), charges, ...beneficiaryOf(decision, books) };
    }
    case 'evict': {
      const { incarnation, then, pods } = decision;
      return { state: 'evicting', incarnation, then, pods: pods.length, ...beneficiaryOf(decision, books) };
    }
    case 'finish':
      return { state: decision.outcome };
  }
}

function beneficiaryOf(
  decision: Of<'evict'> | Of<'shrink'>,
  { workloads }: LockedBooks,
): { readonly for?: string | undefined } {
  const victim = workloads.get(decision.workload);
  if (decision.for === undefined || victim === undefined) return {};
  return { for: beneficiaryName(victim, workloads.get(decision.for)) };
}

/** `worker-0 on node-1 slots 2,3`: enough to find who held what, at a fraction of the decision's body. */
function seatText(pod: PodRef, node: string, slots: readonly { readonly slot: number }[]): string {
  const held = slots.length === 0 ? '' : ` slots ${slots.map(({ slot }) => slot).join(',')}`;
  return `${podText(pod)} on ${node}${held}`;
}

function podText({ podSet, index }: PodRef): string {
  return `${podSet}-${index}`;
}
