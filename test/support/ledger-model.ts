import type {
  Charge,
  Decision,
  NodeSpec,
  NodeState,
  PodRef,
  QueueSpec,
  QuotaTreeRow,
  SchedulerInput,
  Seat,
  SetId,
} from '../../src/core/index.js';
import { checkCharge } from '../../src/core/index.js';

export interface ModelPod {
  readonly seat: Seat;
  readonly isClaimed: boolean;
  readonly isOccupied: boolean;
}

/** A node as the ledger's row has it. */
interface ModelNode {
  readonly spec: NodeSpec;
  readonly state: NodeState;
  readonly isRemoved: boolean;
}

/** A ledger in memory, written from its contract and not from the core: what it holds, the core must hold. */
export class LedgerModel {
  readonly pods = new Map<string, ModelPod>();
  readonly #charges = new Map<string, readonly Charge[]>();
  readonly #nodes = new Map<string, ModelNode>();

  /** What the driver told of nodes is stored before the core hears it. */
  hear(input: SchedulerInput): void {
    if (input.kind === 'node-seen') {
      const known = this.#nodes.get(input.node.name);
      const state = known === undefined || known.isRemoved ? 'healthy' : known.state;
      this.#nodes.set(input.node.name, { spec: input.node, state, isRemoved: false });
    }
    if (input.kind !== 'node-removed' && input.kind !== 'node-state-changed') return;
    const known = this.#nodes.get(input.node);
    if (known === undefined) return;
    const change = input.kind === 'node-removed' ? { isRemoved: true } : { state: input.state };
    this.#nodes.set(input.node, { ...known, ...change });
  }

  chargesOf(workload: string): readonly Charge[] {
    return this.#charges.get(workload) ?? [];
  }

  /** The quota tree with the live charges. */
  rows(queues: readonly QueueSpec[]): readonly QuotaTreeRow[] {
    return queues.map(({ name, parent, quotas }) => {
      const usage: Record<string, number> = {};
      for (const charge of [...this.#charges.values()].flat()) {
        if (charge.queue === name) usage[charge.flavor] = (usage[charge.flavor] ?? 0) + charge.milli;
      }
      return { name, ...(parent === undefined ? {} : { parent }), quotas, usage };
    });
  }

  /** What forbids the set, as the database would; `undefined`: it may be committed. */
  forbids(set: readonly Decision[], queues: readonly QueueSpec[]): string | undefined {
    for (const decision of set) {
      if (decision.kind !== 'start') continue;
      const shares = new Map<string, number>();
      for (const { seat } of this.pods.values()) addShares(shares, seat);
      for (const seat of decision.seats) addShares(shares, seat);
      for (const [slot, milli] of shares) if (milli > 1000) return `slot ${slot} at ${milli}`;
      for (const node of new Set(decision.seats.map((seat) => seat.node))) {
        const refusal = this.#refusalOf(node, decision.seats);
        if (refusal !== undefined) return refusal;
      }
      for (const charge of decision.charges) {
        const check = checkCharge(this.rows(queues), charge);
        if (check.kind === 'exceeds') return `quota of ${check.queue} short by ${check.shortMilli}`;
      }
    }
    return undefined;
  }

  commit(set: readonly Decision[]): void {
    for (const decision of set) {
      if (decision.kind === 'start') {
        for (const seat of decision.seats) {
          this.pods.set(keyOf(seat.pod), { seat, isClaimed: true, isOccupied: true });
        }
        this.#charges.set(decision.workload, decision.charges);
      }
      if (decision.kind === 'evict' || decision.kind === 'release') {
        for (const pod of decision.pods) this.#change(pod, { isClaimed: false });
        this.#charges.set(decision.workload, minus(this.chargesOf(decision.workload), decision.charges));
      }
    }
  }

  gone(pod: PodRef): void {
    this.#change(pod, { isOccupied: false });
  }

  podsOf(workload: string): readonly ModelPod[] {
    return [...this.pods.values()].filter(({ seat }) => seat.pod.workload === workload);
  }

  /** Only a node that takes work, and only within its capacity: what is there already counts too. */
  #refusalOf(name: string, seats: readonly Seat[]): string | undefined {
    const node = this.#nodes.get(name);
    if (node === undefined || node.isRemoved) return `no node ${name}`;
    if (node.state !== 'healthy' || node.spec.unschedulable) return `node ${name} takes no work`;
    const there = [...[...this.pods.values()].map(({ seat }) => seat), ...seats].filter((seat) => seat.node === name);
    const { cpuMilli, memoryMib, pods } = node.spec.capacity;
    const sum = (of: (seat: Seat) => number): number => there.reduce((total, seat) => total + of(seat), 0);
    const isOver = sum((seat) => seat.cpuMilli) > cpuMilli || sum((seat) => seat.memoryMib) > memoryMib;
    return isOver || there.length > pods ? `node ${name} over capacity` : undefined;
  }

  #change(ref: PodRef, change: Partial<ModelPod>): void {
    const pod = this.pods.get(keyOf(ref));
    if (pod === undefined) return;
    const after = { ...pod, ...change };
    if (after.isClaimed || after.isOccupied) this.pods.set(keyOf(ref), after);
    else this.pods.delete(keyOf(ref));
  }
}

export function keyOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}-${incarnation}-${podSet}-${index}`;
}

/** Decisions by set, in the order decided, without the ones that need no answer. */
export function bySet(decisions: readonly Decision[]): ReadonlyMap<SetId, readonly Decision[]> {
  const sets = new Map<SetId, Decision[]>();
  for (const decision of decisions) {
    if (decision.kind === 'wait') continue;
    sets.set(decision.set, [...(sets.get(decision.set) ?? []), decision]);
  }
  return sets;
}

function addShares(shares: Map<string, number>, seat: Seat): void {
  for (const { slot, milli } of seat.slots) {
    const key = `${seat.node}/${slot}`;
    shares.set(key, (shares.get(key) ?? 0) + milli);
  }
}

function minus(charges: readonly Charge[], less: readonly Charge[]): readonly Charge[] {
  return charges
    .map((charge) => ({
      ...charge,
      milli: charge.milli - (less.find(({ flavor }) => flavor === charge.flavor)?.milli ?? 0),
    }))
    .filter(({ milli }) => milli !== 0);
}
