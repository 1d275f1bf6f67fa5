import type { StandingRules } from '../standing-rules.js';
import type { FlavorName, Milli, Ms, PodEnd, PodRef, Seat } from '../contract/index.js';

/**
 * The right to a seat: assumed when decided, granted when the ledger has committed the start. `yielded`: given up for
 * another by a set that is not answered; it ends when that is committed and is granted again when it is refused, so
 * until then nobody but the other may have its place, also when the pod is gone.
 */
export type Claim = 'none' | 'assumed' | 'granted' | 'yielded';
/** What is on the node: expected once committed, present when seen, leaving once its end is decided. */
export type Occupancy = 'none' | 'expected' | 'present' | 'leaving';

/** How a pod ended; `refused`: it never came to be. */
export type PodOutcome = PodEnd & { readonly refused?: 'elsewhere' | 'here' | 'never' };

export interface PodRecord {
  readonly seat: Seat;
  /** What it costs its queue. */
  readonly charge?: { readonly flavor: FlavorName; readonly milli: Milli };
  /** What the rules of others see of it. */
  readonly rules?: StandingRules;
  readonly claim: Claim;
  readonly occupancy: Occupancy;
  readonly started: boolean;
  readonly end?: PodOutcome;
  /** The number of the event that told its end. */
  readonly endSeq?: number;
  /** Pods of its node that must be gone before it may be bound; only while it is not there, and some of them are. */
  readonly waitsFor?: readonly PodRef[];
  /** While it is leaving: its eviction was refused, and may be asked for again then. */
  readonly staysUntilMs?: Ms;
}

export type PodChange = Partial<Pick<PodRecord, 'claim' | 'occupancy' | 'started' | 'end' | 'endSeq' | 'staysUntilMs'>>;
