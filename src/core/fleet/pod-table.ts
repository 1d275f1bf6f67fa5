import type { PodRef, Seat, WorkloadId } from '../contract/index.js';
import { invariant } from '../invariant.js';
import { compareText } from '../text-order.js';
import type { FleetTransaction, Holding } from './fleet-transaction.js';
import type { NodeHold } from './leaving-hold.js';
import type { PodChange, PodRecord } from './pod-record.js';
import { isClaimed, leavingHold, nameOf, NOTHING_HELD } from './leaving-hold.js';

/**
 * Every pod that claims or occupies. A claim holds its share of the node; what pods without claim still occupy is held
 * as `leavingHold` says, so that only those who wait for them may claim it. A pod with neither is forgotten. Nothing
 * else may take or give for a pod of ours.
 */
export class PodTable {
  readonly #tx: FleetTransaction;
  readonly #ofWorkload = new Map<WorkloadId, Map<string, PodRecord>>();
  readonly #ofNode = new Map<number, Map<string, PodRecord>>();
  /** Rows of nodes that got something back since they were last asked for. */
  readonly #freedRows = new Set<number>();
  /** Workloads of which a pod waits for nobody any more, since they were last asked for. */
  readonly #doneWaiting = new Set<WorkloadId>();
  #rulesMoved: 'gone' | 'granted' | undefined;
  /** By node: what is held for leaving pods; follows from the pods of the node, whatever their history. */
  readonly #holds = new Map<number, NodeHold>();

  constructor(tx: FleetTransaction) {
    this.#tx = tx;
  }

  /** `taken`: placement has taken the share already. */
  add(pod: PodRecord, share: 'taken' | 'to-take'): void {
    const key = keyOf(pod.seat.pod);
    invariant(this.find(pod.seat.pod) === undefined, 'a pod is added once', { key });
    if (share === 'to-take' && isClaimed(pod)) this.#tx.take(this.#holding(pod));
    this.#store(pod);
    if (!isClaimed(pod) || pod.waitsFor !== undefined) this.#holdAnew(this.#tx.fleet.rowOf(pod.seat.node));
  }

  find(ref: PodRef): PodRecord | undefined {
    return this.#ofWorkload.get(ref.workload)?.get(keyOf(ref));
  }

  /** By incarnation, pod set and index: an order that no history can change. */
  ofWorkload(workload: WorkloadId): readonly PodRecord[] {
    return [...(this.#ofWorkload.get(workload)?.values() ?? [])].sort(comparePods);
  }

  /** Pods of one incarnation that still have their claim, those that have ended included. */
  claimsOf(workload: WorkloadId, incarnation: number): readonly PodRecord[] {
    const pods = this.ofWorkload(workload);
    return pods.filter(({ claim, seat }) => claim === 'granted' && seat.pod.incarnation === incarnation);
  }

  ofNode(row: number): readonly PodRecord[] {
    return [...(this.#ofNode.get(row)?.values() ?? [])].sort(compareOnNode);
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
    const after = arrived({ ...pod, ...change });
    const row = this.#tx.fleet.rowOf(pod.seat.node);
    // What the rules of others see changes with its end, also while it keeps its claim.
    const hasEnded = pod.rules !== undefined && pod.end === undefined && after.end !== undefined;
    if (isClaimed(pod) && (hasEnded || !isClaimed(after))) this.#tx.give(holdingOf(pod, row));
    if (isClaimed(after) && (hasEnded || !isClaimed(pod))) this.#tx.take(holdingOf(after, row));
    const isOver = after.claim === 'none' && after.occupancy === 'none';
    if (pod.rules !== undefined) {
      if (isOver || hasEnded || (after.claim === 'none' && pod.claim !== 'none')) this.#rulesMoved = 'gone';
      else if (after.claim === 'granted' && pod.claim !== 'granted') this.#rulesMoved ??= 'granted';
    }
    if (pod.waitsFor !== undefined && after.waitsFor === undefined) this.#doneWaiting.add(pod.seat.pod.workload);
    if (isOver) this.#forget(pod.seat, row);
    else this.#store(after);
    if (!isClaimed(pod) || !isClaimed(after) || pod.waitsFor !== undefined) this.#holdAnew(row);
    return isOver ? undefined : after;
  }

  /** What these pods claim: it comes free with them once those who are leaving have gone. */
  claimedBy(pods: readonly PodRecord[]): Holding[] {
    return pods.filter(isClaimed).map((pod) => this.#holding(pod));
  }

  /** What is held for those who are leaving, beyond the claims on their nodes. */
  heldForLeaving(): readonly Holding[] {
    return [...this.#holds].map(([row, hold]) => ({ row, ...hold }));
  }

  /** What would come free if these pods were gone and claimed nothing. */
  shareOf(pods: readonly PodRecord[]): readonly Holding[] {
    const shares = this.claimedBy(pods);
    const gone = new Set(pods.map(({ seat }) => nameOf(seat.pod)));
    for (const row of new Set(pods.map(({ seat }) => this.#tx.fleet.rowOf(seat.node)))) {
      const now = this.#holds.get(row);
      if (now === undefined) continue;
      const then = leavingHold(this.ofNode(row).filter(({ seat }) => !gone.has(nameOf(seat.pod))));
      shares.push({ row, ...now }, { row, ...negative(then) });
    }
    return shares;
  }

  /** Since last asked: did a pod that the rules of others may see go or end, or, less than that, get its seat? */
  takeRulesMoved(): 'gone' | 'granted' | undefined {
    const moved = this.#rulesMoved;
    this.#rulesMoved = undefined;
    return moved;
  }

  takeFreedRows(): readonly number[] {
    const rows = [...this.#freedRows];
    this.#freedRows.clear();
    return rows;
  }

  takeDoneWaiting(): readonly WorkloadId[] {
    const workloads = [...this.#doneWaiting];
    this.#doneWaiting.clear();
    return workloads;
  }

  #store(pod: PodRecord): void {
    const { pod: ref, node } = pod.seat;
    mapOf(this.#ofWorkload, ref.workload).set(keyOf(ref), pod);
    mapOf(this.#ofNode, this.#tx.fleet.rowOf(node)).set(nameOf(ref), pod);
  }

  #forget({ pod: ref }: Seat, row: number): void {
    this.#freedRows.add(row);
    drop(this.#ofWorkload, ref.workload, keyOf(ref));
    drop(this.#ofNode, row, nameOf(ref));
    if (this.#holds.has(row)) this.#forgetWaits(ref, row);
  }

  #forgetWaits(gone: PodRef, row: number): void {
    const name = nameOf(gone);
    for (const pod of this.ofNode(row)) {
      if (pod.waitsFor?.some((ref) => nameOf(ref) === name) !== true) continue;
      const { waitsFor, ...rest } = pod;
      const left = waitsFor.filter((ref) => nameOf(ref) !== name);
      this.#store(left.length === 0 ? rest : { ...rest, waitsFor: left });
      if (left.length === 0) this.#doneWaiting.add(pod.seat.pod.workload);
    }
  }

  #holdAnew(row: number): void {
    const before = this.#holds.get(row);
    const pods = [...(this.#ofNode.get(row)?.values() ?? [])];
    const after = pods.every(isClaimed) ? NOTHING_HELD : leavingHold(pods.sort(compareOnNode));
    if (before === undefined && after === NOTHING_HELD) return;
    if (before !== undefined) this.#tx.give({ row, ...before });
    this.#tx.take({ row, ...after });
    if (after === NOTHING_HELD) this.#holds.delete(row);
    else this.#holds.set(row, after);
  }

  #holding(pod: PodRecord): Holding {
    return holdingOf(pod, this.#tx.fleet.rowOf(pod.seat.node));
  }
}

function holdingOf({ seat, rules, end }: PodRecord, row: number): Holding {
  const { cpuMilli, memoryMib, slots } = seat;
  const held = { row, cpuMilli, memoryMib, slots };
  if (rules === undefined) return held;
  return end === undefined ? { ...held, rules } : { ...held, leavingRules: [{ rules, pods: 1 }] };
}

/** Who is there waits for nobody. */
function arrived(pod: PodRecord): PodRecord {
  if (pod.occupancy !== 'present' || pod.waitsFor === undefined) return pod;
  const { waitsFor: _past, ...there } = pod;
  return there;
}

function negative({ cpuMilli, memoryMib, pods, slots, cuts, leavingRules = [] }: NodeHold): NodeHold {
  const less = slots.map(({ slot, milli }) => ({ slot, milli: -milli }));
  return {
    cpuMilli: -cpuMilli,
    memoryMib: -memoryMib,
    pods: -pods,
    slots: less,
    cuts: cuts.map((cut) => ({ ...cut, times: -cut.times })),
    leavingRules: leavingRules.map((leaving) => ({ ...leaving, pods: -leaving.pods })),
  };
}

function keyOf(ref: PodRef): string {
  return `${ref.incarnation}/${ref.podSet}/${ref.index}`;
}

function compareOnNode(a: PodRecord, b: PodRecord): number {
  return compareText(a.seat.pod.workload, b.seat.pod.workload) || comparePods(a, b);
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
