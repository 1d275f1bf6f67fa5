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
import { checkCharge, isForDisplay } from '../../src/core/index.js';

export interface ModelPod {
  readonly seat: Seat;
  readonly isClaimed: boolean;
  readonly isOccupied: boolean;
  /** Pods of its node that its start named: it is bound when they are gone. */
  readonly waitsFor: readonly PodRef[];
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
  /** Every pod that was ever committed: no name is given twice. */
  readonly #names = new Set<string>();
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
    const trial = this.#copy();
    for (const decision of set) {
      const refusal = hasSeats(decision) ? trial.#refusalOfSeats(decision, queues) : undefined;
      if (refusal !== undefined) return refusal;
      trial.commit([decision]);
    }
    return undefined;
  }

  commit(set: readonly Decision[]): void {
    for (const decision of set) {
      if (hasSeats(decision)) {
        for (const pod of this.#podsOf(decision)) {
          this.pods.set(keyOf(pod.seat.pod), pod);
          this.#names.add(keyOf(pod.seat.pod));
        }
        const before = decision.kind === 'start' ? [] : this.chargesOf(decision.workload);
        this.#charges.set(decision.workload, plus(before, decision.charges));
      }
      if (decision.kind === 'evict' || decision.kind === 'release' || decision.kind === 'shrink') {
        for (const pod of decision.pods) this.#change(pod, { isClaimed: false });
        this.#charges.set(decision.workload, minus(this.chargesOf(decision.workload), decision.charges));
      }
    }
  }

  /** Is one of the pods still there that must go before this one comes? */
  isWaiting({ waitsFor }: ModelPod): boolean {
    return waitsFor.some((ref) => this.pods.get(keyOf(ref))?.isOccupied === true);
  }

  gone(pod: PodRef): void {
    this.#change(pod, { isOccupied: false });
  }

  podsOf(workload: string): readonly ModelPod[] {
    return [...this.pods.values()].filter(({ seat }) => seat.pod.workload === workload);
  }

  /** Both sums: of all claims, and of all that is or may be there now; who waits for others is not. */
  #refusalOfSeats(start: Joining, queues: readonly QueueSpec[]): string | undefined {
    const twice = start.seats.find(({ pod }) => this.#names.has(keyOf(pod)));
    if (twice !== undefined) return `pod ${keyOf(twice.pod)} a second time`;
    const joining = this.#podsOf(start);
    const all = [...this.pods.values(), ...joining];
    const sums = { claims: ({ isClaimed }: ModelPod) => isClaimed, present: (pod: ModelPod) => !this.isWaiting(pod) };
    for (const [sum, counts] of Object.entries(sums)) {
      const pods = all.filter(counts);
      const shares = new Map<string, number>();
      for (const { seat } of pods) addShares(shares, seat);
      for (const [slot, milli] of shares) if (milli > 1000) return `${sum} of slot ${slot} at ${milli}`;
      const cut = cutTwice(pods);
      if (cut !== undefined) return `${sum}: ${cut}`;
      // A node that became smaller may have too much, until those who are waited for have gone.
      for (const node of new Set(joining.filter(counts).map(({ seat }) => seat.node))) {
        const refusal = this.#refusalOf(node, pods);
        if (refusal !== undefined) return `${sum}: ${refusal}`;
      }
    }
    for (const charge of start.charges) {
      const check = checkCharge(this.rows(queues), charge);
      if (check.kind === 'exceeds') return `quota of ${check.queue} short by ${check.shortMilli}`;
    }
    return undefined;
  }

  #podsOf({ seats, waitsFor }: Joining): readonly ModelPod[] {
    return seats.map((seat) => ({
      seat,
      isClaimed: true,
      isOccupied: true,
      waitsFor: waitsFor.filter((ref) => this.pods.get(keyOf(ref))?.seat.node === seat.node),
    }));
  }

  #copy(): LedgerModel {
    const copy = new LedgerModel();
    for (const [key, pod] of this.pods) copy.pods.set(key, pod);
    for (const [workload, charges] of this.#charges) copy.#charges.set(workload, charges);
    for (const [name, node] of this.#nodes) copy.#nodes.set(name, node);
    for (const name of this.#names) copy.#names.add(name);
    return copy;
  }

  /** Only a node that takes work, and only within its capacity: what is there already counts too. */
  #refusalOf(name: string, among: readonly ModelPod[]): string | undefined {
    const node = this.#nodes.get(name);
    if (node === undefined || node.isRemoved) return `no node ${name}`;
    if (node.state !== 'healthy' || node.spec.unschedulable) return `node ${name} takes no work`;
    const there = among.map(({ seat }) => seat).filter((seat) => seat.node === name);
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

/** Pods come into being by it. */
type Joining = Decision & { readonly kind: 'start' | 'grow' };

function hasSeats(decision: Decision): decision is Joining {
  return decision.kind === 'start' || decision.kind === 'grow';
}

export function keyOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}-${incarnation}-${podSet}-${index}`;
}

/** Decisions by set, in the order decided, without the ones that need no answer. */
export function bySet(decisions: readonly Decision[]): ReadonlyMap<SetId, readonly Decision[]> {
  const sets = new Map<SetId, Decision[]>();
  for (const decision of decisions) {
    if (isForDisplay(decision)) continue;
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

/** No eighth of a device belongs to two partitions, and a device is cut or used otherwise, not both. */
function cutTwice(pods: readonly ModelPod[]): string | undefined {
  const heldBy = new Map<string, 'cut' | 'uncut'>();
  for (const { seat } of pods) {
    for (const { slot, milli, profile, position = 0 } of seat.slots) {
      const kind = profile === undefined ? 'uncut' : 'cut';
      const key = `${seat.node}/${slot}`;
      if (heldBy.get(key) === (kind === 'cut' ? 'uncut' : 'cut')) return `slot ${key} is cut and used otherwise`;
      heldBy.set(key, kind);
      if (kind === 'uncut') continue;
      for (let eighth = position; eighth < position + milli / 125; eighth++) {
        if (eighth > 7 || heldBy.has(`${key}/${eighth}`)) return `eighth ${eighth} of slot ${key} is cut twice`;
        heldBy.set(`${key}/${eighth}`, 'cut');
      }
    }
  }
  return undefined;
}

function plus(charges: readonly Charge[], more: readonly Charge[]): readonly Charge[] {
  const added = more.filter(({ flavor }) => charges.every((charge) => charge.flavor !== flavor));
  const sums = charges.map((charge) => {
    const same = more.find(({ flavor }) => flavor === charge.flavor);
    return { ...charge, milli: charge.milli + (same?.milli ?? 0) };
  });
  return [...sums, ...added];
}

function minus(charges: readonly Charge[], less: readonly Charge[]): readonly Charge[] {
  return charges
    .map((charge) => ({
      ...charge,
      milli: charge.milli - (less.find(({ flavor }) => flavor === charge.flavor)?.milli ?? 0),
    }))
    .filter(({ milli }) => milli !== 0);
}
