import type { FlavorName, Milli, PodEnd, PodRef, Seat, WorkloadId } from '../contract/index.js';
import { invariant } from '../invariant.js';
import { compareText } from '../text-order.js';
import type { FleetTransaction, Holding } from './fleet-transaction.js';

/** The right to a seat: assumed when decided, granted when the ledger has committed the start. */
export type Claim = 'none' | 'assumed' | 'granted';
/** What is on the node: expected once committed, present when seen, leaving once its end is decided. */
export type Occupancy = 'none' | 'expected' | 'present' | 'leaving';

/** How a pod ended; `refused`: it never came to be. */
export type PodOutcome = PodEnd & { readonly refused?: 'elsewhere' | 'here' | 'never' };

export interface PodRecord {
  readonly seat: Seat;
  /** What it costs its queue. */
  readonly charge?: { readonly flavor: FlavorName; readonly milli: Milli };
  readonly claim: Claim;
  readonly occupancy: Occupancy;
  readonly started: boolean;
  readonly end?: PodOutcome;
  /** The number of the event that told its end. */
  readonly endSeq?: number;
}

export type PodChange = Partial<Pick<PodRecord, 'claim' | 'occupancy' | 'started' | 'end' | 'endSeq'>>;

/**
 * Every pod that claims or occupies. A pod holds its share of the node from its first claim or occupancy until both
 * are over: then the share is given back and the pod forgotten. Nothing else may take or give for a pod of ours.
 */
export class PodTable {
  readonly #tx: FleetTransaction;
  readonly #ofWorkload = new Map<WorkloadId, Map<string, PodRecord>>();
  readonly #ofNode = new Map<number, Map<string, PodRecord>>();
  /** Rows of nodes that got something back since they were last asked for. */
  readonly #freedRows = new Set<number>();

  constructor(tx: FleetTransaction) {
    this.#tx = tx;
  }

  /** `taken`: placement has taken the share already. */
  add(pod: PodRecord, share: 'taken' | 'to-take'): void {
    const key = keyOf(pod.seat.pod);
    invariant(this.find(pod.seat.pod) === undefined, 'a pod is added once', { key });
    if (share === 'to-take') this.#tx.take(this.#holding(pod.seat));
    this.#store(pod);
  }

  find(ref: PodRef): PodRecord | undefined {
    return this.#ofWorkload.get(ref.workload)?.get(keyOf(ref));
  }

  /** By incarnation, pod set and index: an order that no history can change. */
  ofWorkload(workload: WorkloadId): readonly PodRecord[] {
    return [...(this.#ofWorkload.get(workload)?.values() ?? [])].sort(comparePods);
  }

  ofNode(row: number): readonly PodRecord[] {
    return [...(this.#ofNode.get(row)?.values() ?? [])].sort(
      (a, b) => compareText(a.seat.pod.workload, b.seat.pod.workload) || comparePods(a, b),
    );
  }

  countOn(row: number): number {
    return this.#ofNode.get(row)?.size ?? 0;
  }

  all(): readonly PodRecord[] {
    const workloads = [...this.#ofWorkload.keys()].sort(compareText);
    return workloads.flatMap((workload) => this.ofWorkload(workload));
  }

  /** The pod as it is then, or `undefined` when it holds nothing any more and is forgotten. */
  change(pod: PodRecord, change: PodChange): PodRecord | undefined {
    const after = { ...pod, ...change };
    if (after.claim !== 'none' || after.occupancy !== 'none') {
      this.#store(after);
      return after;
    }
    this.#forget(pod.seat);
    return undefined;
  }

  takeFreedRows(): readonly number[] {
    const rows = [...this.#freedRows];
    this.#freedRows.clear();
    return rows;
  }

  #store(pod: PodRecord): void {
    const { pod: ref, node } = pod.seat;
    mapOf(this.#ofWorkload, ref.workload).set(keyOf(ref), pod);
    mapOf(this.#ofNode, this.#tx.fleet.rowOf(node)).set(nodeKeyOf(ref), pod);
  }

  #forget(seat: Seat): void {
    const holding = this.#holding(seat);
    this.#tx.give(holding);
    this.#freedRows.add(holding.row);
    drop(this.#ofWorkload, seat.pod.workload, keyOf(seat.pod));
    drop(this.#ofNode, holding.row, nodeKeyOf(seat.pod));
  }

  #holding(seat: Seat): Holding {
    return holdingOf(seat, this.#tx.fleet.rowOf(seat.node));
  }
}

export function holdingOf(seat: Seat, row: number): Holding {
  return { row, cpuMilli: seat.cpuMilli, memoryMib: seat.memoryMib, slots: seat.slots };
}

function keyOf(ref: PodRef): string {
  return `${ref.incarnation}/${ref.podSet}/${ref.index}`;
}

function nodeKeyOf(ref: PodRef): string {
  return `${ref.workload}/${keyOf(ref)}`;
}

function comparePods(a: PodRecord, b: PodRecord): number {
  const x = a.seat.pod;
  const y = b.seat.pod;
  return x.incarnation - y.incarnation || compareText(x.podSet, y.podSet) || x.index - y.index;
}

function mapOf<Key, Value>(maps: Map<Key, Map<string, Value>>, key: Key): Map<string, Value> {
  const known = maps.get(key);
  if (known !== undefined) return known;
  const created = new Map<string, Value>();
  maps.set(key, created);
  return created;
}

function drop<Key, Value>(maps: Map<Key, Map<string, Value>>, key: Key, inner: string): void {
  const map = maps.get(key);
  map?.delete(inner);
  if (map?.size === 0) maps.delete(key);
}
