import type { PodSetSpec } from '../contract/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { podSize } from '../pod-need.js';
import { compareText } from '../text-order.js';
import type { TypicalPod } from './fragmentation.js';

/** The mix as plain data, for the snapshot. */
export interface MixRecord {
  /** Since the mix was last told anew. */
  readonly submissions: number;
  /** Pods seen lately, by kind. */
  readonly seen: readonly TypicalPod[];
  /** The mix that is scored by; empty until it is learnt. */
  readonly typical: readonly TypicalPod[];
}

/** Submissions from one mix to the next; in between it stays, so that scores can be kept. */
const SUBMISSIONS = 1000;
/** The kinds that make this part of all pods, per cent; the rest is too rare to leave room for. */
const COVERED = 95;

/**
 * Which pods teams submit: kinds counted by pods, the most frequent first until they make 95 %. A new mix is told after
 * each 1,000 submissions, and what was counted before counts half from then on.
 */
export class WorkloadMix {
  #submissions = 0;
  #seen = new Map<string, TypicalPod>();
  #typical: readonly TypicalPod[] = [];
  #podsInMix = 0;

  /** Most frequent first. */
  get typical(): readonly TypicalPod[] {
    return this.#typical;
  }

  get podsInMix(): number {
    return this.#podsInMix;
  }

  /** A workload was submitted. */
  count(podSets: readonly PodSetSpec[]): void {
    this.#submissions++;
    for (const podSet of podSets) {
      const { devices, flavors, count } = podSet;
      const { cpuMilli } = podSize(podSet);
      const [deviceCount, deviceMilli] = [devices?.count ?? 0, devices?.milli ?? WHOLE_DEVICE_MILLI];
      this.#count({ cpuMilli, deviceCount, deviceMilli, flavors, pods: count });
    }
  }

  /** `new`: the mix is another from now on. Asked between events of different times, whose order is no chance. */
  renew(): 'new' | 'as-before' {
    if (this.#submissions < SUBMISSIONS) return 'as-before';
    this.#submissions = 0;
    this.#tell(typicalOf([...this.#seen.values()]));
    const seen = [...this.#seen].map(([key, kind]) => [key, { ...kind, pods: Math.floor(kind.pods / 2) }] as const);
    this.#seen = new Map(seen.filter(([, { pods }]) => pods > 0));
    return 'new';
  }

  record(): MixRecord {
    return { submissions: this.#submissions, seen: sorted([...this.#seen.values()]), typical: this.#typical };
  }

  restore({ submissions, seen, typical }: MixRecord): void {
    this.#submissions = submissions;
    this.#seen.clear();
    for (const kind of seen) this.#count(kind);
    this.#tell(typical);
  }

  #count(kind: TypicalPod): void {
    const key = keyOf(kind);
    const known = this.#seen.get(key);
    this.#seen.set(key, { ...kind, pods: kind.pods + (known?.pods ?? 0) });
  }

  #tell(typical: readonly TypicalPod[]): void {
    this.#typical = typical;
    this.#podsInMix = typical.reduce((sum, { pods }) => sum + pods, 0);
  }
}

function typicalOf(seen: readonly TypicalPod[]): readonly TypicalPod[] {
  const all = seen.reduce((sum, { pods }) => sum + pods, 0);
  const typical: TypicalPod[] = [];
  let covered = 0;
  for (const kind of sorted(seen)) {
    if (covered * 100 >= all * COVERED) break;
    typical.push(kind);
    covered += kind.pods;
  }
  return typical;
}

function sorted(kinds: readonly TypicalPod[]): readonly TypicalPod[] {
  return [...kinds].sort((a, b) => b.pods - a.pods || compareText(keyOf(a), keyOf(b)));
}

function keyOf({ cpuMilli, deviceCount, deviceMilli, flavors }: TypicalPod): string {
  return JSON.stringify([cpuMilli, deviceCount, deviceMilli, flavors]);
}
