import type { NodeName, PodRef, SchedulerInput, Seat, WorkloadId } from '../contract/index.js';
import { invariant } from '../invariant.js';

/** `waiting`: created, but what it waits for still stands on its node. */
export interface SimulatedPod {
  readonly seat: Seat;
  readonly state: 'waiting' | 'up' | 'leaving';
}

interface Pod {
  readonly seat: Seat;
  state: SimulatedPod['state'];
  /** How many pods must still go before it is bound. */
  blockers: number;
}

/**
 * Pods on nodes, as a driver would carry them out: each call returns what the driver would report. A pod that may
 * start is bound and started at once; of a silent node nothing is reported.
 */
export class SimulatedCluster {
  readonly #pods = new Map<string, Pod>();
  readonly #ofWorkload = new Map<WorkloadId, Set<Pod>>();
  readonly #ofNode = new Map<NodeName, Set<Pod>>();
  readonly #waitersOf = new Map<string, Pod[]>();
  readonly #silent = new Set<NodeName>();

  /** In the order created. */
  podsOf(workload: WorkloadId): readonly SimulatedPod[] {
    return [...(this.#ofWorkload.get(workload) ?? [])];
  }

  podsOn(node: NodeName): readonly SimulatedPod[] {
    return [...(this.#ofNode.get(node) ?? [])];
  }

  /** Creates the pods of a committed start; each is bound when those of `waitsFor` on its node are gone. */
  create(seats: readonly Seat[], waitsFor: readonly PodRef[]): readonly SchedulerInput[] {
    const blockers = waitsFor.flatMap((ref) => this.#pods.get(keyOf(ref)) ?? []);
    return seats.flatMap((seat) => {
      const pod: Pod = { seat, state: 'waiting', blockers: 0 };
      this.#add(pod);
      for (const blocker of blockers) {
        if (blocker.seat.node !== seat.node) continue;
        pod.blockers++;
        const key = keyOf(blocker.seat.pod);
        this.#waitersOf.set(key, [...(this.#waitersOf.get(key) ?? []), pod]);
      }
      return pod.blockers === 0 ? this.#bind(pod) : [];
    });
  }

  /** A pod that was there before the simulation began. */
  adopt(seat: Seat, state: 'up' | 'leaving'): void {
    this.#add({ seat, state, blockers: 0 });
  }

  /** Stops the pods that still stand; returns those that will go, which pods of a silent node do not. */
  stop(pods: readonly PodRef[]): readonly PodRef[] {
    return pods.filter((ref) => {
      const pod = this.#pods.get(keyOf(ref));
      if (pod === undefined) return false;
      pod.state = 'leaving';
      return !this.#silent.has(pod.seat.node);
    });
  }

  /** The program of each pod that is up ends well. */
  complete(workload: WorkloadId): readonly SchedulerInput[] {
    const pods = this.podsOf(workload).filter(({ seat, state }) => state === 'up' && !this.#silent.has(seat.node));
    const ends = pods.map(({ seat }): SchedulerInput => {
      return { kind: 'pod-ended', pod: seat.pod, outcome: 'succeeded', blame: 'workload', exitCode: 0 };
    });
    return [...ends, ...pods.flatMap(({ seat }) => this.leave(seat.pod))];
  }

  /** The pod is gone, and who waited for that is bound. One that is not there, or on a silent node, changes nothing. */
  leave(ref: PodRef): readonly SchedulerInput[] {
    const pod = this.#pods.get(keyOf(ref));
    if (pod === undefined || this.#silent.has(pod.seat.node)) return [];
    return [{ kind: 'pod-gone', pod: ref }, ...this.#remove(pod)];
  }

  silence(node: NodeName): void {
    this.#silent.add(node);
  }

  /** The node answers again: what was to stop there has stopped. */
  answer(node: NodeName): readonly SchedulerInput[] {
    if (!this.#silent.delete(node)) return [];
    const leaving = this.podsOn(node).filter(({ state }) => state === 'leaving');
    return leaving.flatMap(({ seat }) => this.leave(seat.pod));
  }

  /** Nothing of before is left on the node; the caller says so. */
  empty(node: NodeName): readonly SchedulerInput[] {
    return [...(this.#ofNode.get(node) ?? [])].flatMap((pod) => this.#remove(pod));
  }

  /** The node is gone, and all that was on it. */
  removeNode(node: NodeName): readonly SchedulerInput[] {
    this.#silent.delete(node);
    return this.podsOn(node).flatMap(({ seat }): readonly SchedulerInput[] => {
      return [{ kind: 'pod-ended', pod: seat.pod, outcome: 'lost', blame: 'node' }, ...this.leave(seat.pod)];
    });
  }

  #bind(pod: Pod): readonly SchedulerInput[] {
    if (this.#silent.has(pod.seat.node)) return [];
    pod.state = 'up';
    return [
      { kind: 'pod-bound', pod: pod.seat.pod },
      { kind: 'pod-started', pod: pod.seat.pod },
    ];
  }

  #add(pod: Pod): void {
    const key = keyOf(pod.seat.pod);
    invariant(!this.#pods.has(key), 'a pod is created once', { key });
    this.#pods.set(key, pod);
    setOf(this.#ofWorkload, pod.seat.pod.workload).add(pod);
    setOf(this.#ofNode, pod.seat.node).add(pod);
  }

  #remove(pod: Pod): readonly SchedulerInput[] {
    const key = keyOf(pod.seat.pod);
    this.#pods.delete(key);
    dropFrom(this.#ofWorkload, pod.seat.pod.workload, pod);
    dropFrom(this.#ofNode, pod.seat.node, pod);
    const waiters = this.#waitersOf.get(key) ?? [];
    this.#waitersOf.delete(key);
    return waiters.flatMap((waiter) => {
      waiter.blockers--;
      return waiter.blockers === 0 && waiter.state === 'waiting' ? this.#bind(waiter) : [];
    });
  }
}

function keyOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}/${incarnation}/${podSet}/${index}`;
}

function setOf<Key>(sets: Map<Key, Set<Pod>>, key: Key): Set<Pod> {
  const known = sets.get(key);
  if (known !== undefined) return known;
  const created = new Set<Pod>();
  sets.set(key, created);
  return created;
}

function dropFrom<Key>(sets: Map<Key, Set<Pod>>, key: Key, pod: Pod): void {
  const pods = sets.get(key);
  pods?.delete(pod);
  if (pods?.size === 0) sets.delete(key);
}
