import type { EvictReason } from '../../core/index.js';
import type { BookedWorkload } from './locked-books.js';

/** Whose need ended it, as the people of the victim may know it: a workload of another team has no name for them. */
export function beneficiaryName(victim: BookedWorkload, beneficiary: BookedWorkload | undefined): string | undefined {
  if (beneficiary === undefined) return undefined;
  return beneficiary.team === victim.team ? `Workload ${beneficiary.name}` : `A workload of team ${beneficiary.team}`;
}

/** Why it had to stop, for its people. `undefined`: its own pods tell it better. */
export function evictionSentence(reason: EvictReason, beneficiary = 'Another workload'): string | undefined {
  switch (reason) {
    case 'preempted':
      return `${beneficiary} has a higher priority and took its place.`;
    case 'reclaimed':
      return `${beneficiary} took back quota of its own that this one had borrowed.`;
    case 'fair-share':
      return `${beneficiary} took its place: its queue had less than its fair share.`;
    case 'order':
      return `${beneficiary} comes first in the order of the policy and took its place.`;
    case 'over-limit':
      return 'It ran for longer than its limit.';
    case 'quota-lowered':
      return 'The quota of its queue was lowered below what it used.';
    case 'cancelled':
      return '';
    case 'drained':
    case 'node-lost':
    case 'device-failed':
    case 'gang-incomplete':
    case 'failed':
      return undefined;
  }
}
