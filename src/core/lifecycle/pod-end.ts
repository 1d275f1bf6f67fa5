import { unreachable } from '../invariant.js';
import type { PodOutcome } from '../fleet/index.js';

/** What an end means for its workload. */
export type EndMeaning = 'succeeded' | 'fatal' | 'own-fault' | 'not-its-fault' | 'asks-again' | 'refused';

/** Data, usage and unavailable-input errors by `sysexits.h`: to try again cannot help. */
const FATAL_EXITS: ReadonlySet<number> = new Set([64, 65, 69]);
/** `EX_TEMPFAIL`: the program saved its work and asks to be started again. */
const TRY_AGAIN_EXIT = 75;

/** The meaning of a pod's end by outcome, blame and exit code. */
export function meaningOf(end: PodOutcome): EndMeaning {
  if (end.refused !== undefined) return end.refused === 'never' ? 'fatal' : 'refused';
  switch (end.outcome) {
    case 'succeeded':
      return 'succeeded';
    case 'evicted':
    case 'deleted':
    case 'lost':
      return 'not-its-fault';
    case 'failed':
      if (end.blame !== 'workload') return 'not-its-fault';
      if (end.exitCode === TRY_AGAIN_EXIT) return 'asks-again';
      return end.exitCode !== undefined && FATAL_EXITS.has(end.exitCode) ? 'fatal' : 'own-fault';
    default:
      return unreachable(end.outcome);
  }
}
