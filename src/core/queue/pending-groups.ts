import type { Constraint, FlavorName, Policy, QueueName, WorkloadId } from '../contract/index.js';
import { Heap } from '../heap.js';
import { compareText } from '../text-order.js';
import type { OrderKey } from './order-key.js';
import { compareByOrder, orderKeyOf } from './order-key.js';
import type { WorkloadRecord } from './workload-record.js';
import { groupKeyOf } from './workload-record.js';

/** Waiting workloads of equal need, first to last. Its head is visited for all of them. */
export interface PendingGroup {
  readonly members: readonly OrderKey[];
  readonly isActive: boolean;
  /** The constraint last told for its members, and who joined since. */
  readonly told: Constraint['kind'] | undefined;
  readonly newcomers: ReadonlySet<WorkloadId>;
}

interface MutableGroup extends PendingGroup {
  readonly key: string;
  readonly queue: QueueName;
  readonly members: OrderKey[];
  readonly flavors: ReadonlySet<FlavorName>;
  isActive: boolean;
  told: Constraint['kind'] | undefined;
  newcomers: Set<WorkloadId>;
}

/** Stands for the pods that need no flavor, in `wake`. */
export const NO_FLAVOR = '';

/**
 * Pending work by equal need. A group is *active* until its head is found blocked, then *parked* until something comes
 * free that could help it: so a settle costs what changed, however many wait.
 */
export class PendingGroups {
  readonly #groups = new Map<string, MutableGroup>();
  readonly #groupOf = new Map<WorkloadId, MutableGroup>();
  readonly #active = new Set<MutableGroup>();
  /** Those that somebody joined who was told nothing yet. */
  readonly #joined = new Set<MutableGroup>();
  readonly #byFlavor = new Map<FlavorName, Set<MutableGroup>>();
  #order: Policy['order'] = 'fair';

  get size(): number {
    return this.#groupOf.size;
  }

  /** A new order sorts every group again; nobody is parked then. */
  setOrder(order: Policy['order']): void {
    this.#order = order;
    for (const group of this.#groups.values()) group.members.sort((a, b) => compareByOrder(order, a, b));
    this.wakeAll();
  }

  add(record: WorkloadRecord): void {
    const key = groupKeyOf(record);
    const group = this.#groups.get(key) ?? this.#create(key, record);
    const entry = orderKeyOf(record.spec);
    group.members.splice(this.#placeOf(group, entry), 0, entry);
    group.newcomers.add(entry.id);
    this.#joined.add(group);
    this.#groupOf.set(entry.id, group);
    // Equals cannot do what the head could not: only a new head is worth a trial.
    if (group.members[0] === entry) this.#activate(group);
  }

  remove(record: WorkloadRecord): void {
    const group = this.#groupOf.get(record.spec.id);
    if (group === undefined) return;
    this.#groupOf.delete(record.spec.id);
    const place = this.#placeOf(group, orderKeyOf(record.spec));
    group.members.splice(place, 1);
    // Its timer woke the group; the next head has none yet.
    if (place === 0 && record.tryAgainAtMs !== undefined) this.#activate(group);
    group.newcomers.delete(record.spec.id);
    if (group.members.length > 0) return;
    this.#groups.delete(group.key);
    this.#active.delete(group);
    this.#joined.delete(group);
    for (const flavor of group.flavors) this.#byFlavor.get(flavor)?.delete(group);
  }

  groupOf(id: WorkloadId): PendingGroup | undefined {
    return this.#groupOf.get(id);
  }

  /** Groups whose head may be able to start, in the order of their heads. `next` of a group shows its new head. */
  visit(): Heap<{ readonly head: OrderKey; readonly group: PendingGroup }> {
    const heap = new Heap<{ readonly head: OrderKey; readonly group: PendingGroup }>((a, b) =>
      compareByOrder(this.#order, a.head, b.head),
    );
    for (const group of this.#active) {
      const head = group.members[0];
      if (head !== undefined) heap.push({ head, group });
    }
    return heap;
  }

  park(id: WorkloadId): void {
    const group = this.#groupOf.get(id);
    if (group === undefined) return;
    group.isActive = false;
    this.#active.delete(group);
  }

  /** Something of the flavor came free, on a node or in a queue. */
  wake(flavor: FlavorName): void {
    for (const group of this.#byFlavor.get(flavor) ?? []) this.#activate(group);
  }

  /** Time or a plan has changed what this one could do. */
  wakeGroupOf(id: WorkloadId): void {
    const group = this.#groupOf.get(id);
    if (group !== undefined) this.#activate(group);
  }

  /**
   * The first waiting workload of the queue in its order, without those passed over and without groups whose head is
   * hopeless: what the head cannot do no sibling can. `isActive`: it is to be visited yet.
   */
  firstOf(
    queue: QueueName,
    {
      isPassedOver,
      isHopeless,
    }: { isPassedOver: (id: WorkloadId) => boolean; isHopeless: (head: WorkloadId) => boolean },
  ): { readonly id: WorkloadId; readonly isActive: boolean } | undefined {
    let first: OrderKey | undefined;
    let isActive = false;
    for (const group of this.#groups.values()) {
      if (group.queue !== queue || isHopeless(group.members[0]?.id ?? '')) continue;
      const member = group.members.find(({ id }) => !isPassedOver(id));
      if (member === undefined || (first !== undefined && compareByOrder(this.#order, member, first) > 0)) continue;
      first = member;
      ({ isActive } = group);
    }
    return first === undefined ? undefined : { id: first.id, isActive };
  }

  wakeAll(): void {
    for (const group of this.#groups.values()) this.#activate(group);
  }

  /** Whom to tell that this constraint binds: all of the group when it is news, else who joined since. */
  tell(id: WorkloadId, binding: Constraint['kind']): readonly WorkloadId[] {
    const group = this.#groupOf.get(id);
    if (group === undefined) return [];
    this.#joined.delete(group);
    const isNews = group.told !== binding;
    if (!isNews && group.newcomers.size === 0) return [];
    const news = group.members.filter((member) => isNews || group.newcomers.has(member.id)).map((member) => member.id);
    group.told = binding;
    group.newcomers.clear();
    return news;
  }

  /** The heads of parked groups that somebody joined, with the constraint that binds them; sorted. */
  joined(): readonly { readonly head: WorkloadId; readonly binding: Constraint['kind'] }[] {
    return [...this.#joined]
      .flatMap(({ members, isActive, told }) => {
        const head = members[0]?.id;
        return isActive || told === undefined || head === undefined ? [] : [{ head, binding: told }];
      })
      .sort((a, b) => compareText(a.head, b.head));
  }

  /** How many waiting workloads come before, whether they could start or not, and the first of them. */
  ahead(record: WorkloadRecord): { readonly count: number; readonly first: WorkloadId | undefined } {
    const own = orderKeyOf(record.spec);
    let count = 0;
    let first: OrderKey | undefined;
    for (const group of this.#groups.values()) {
      count += this.#placeOf(group, own);
      const head = group.members[0];
      if (head !== undefined && (first === undefined || compareByOrder(this.#order, head, first) < 0)) first = head;
    }
    return { count, first: count > 0 ? first?.id : undefined };
  }

  /** For the snapshot: one member stands for its group. */
  records(): readonly GroupRecord[] {
    return [...this.#groups.values()]
      .map(({ members, isActive, told, newcomers }) => {
        return { member: members[0]?.id ?? '', isActive, told, newcomers: [...newcomers] };
      })
      .sort((a, b) => compareText(a.member, b.member));
  }

  restore(records: readonly GroupRecord[]): void {
    for (const { member, isActive, told, newcomers } of records) {
      const group = this.#groupOf.get(member);
      if (group === undefined) continue;
      group.told = told;
      group.newcomers = new Set(newcomers);
      if (newcomers.length === 0) this.#joined.delete(group);
      if (!isActive) this.park(member);
    }
  }

  #create(key: string, { spec }: WorkloadRecord): MutableGroup {
    const flavors = new Set(
      spec.podSets.flatMap((podSet) => (podSet.flavors.length > 0 ? podSet.flavors : [NO_FLAVOR])),
    );
    const group: MutableGroup = {
      key,
      queue: spec.queue,
      members: [],
      flavors,
      isActive: false,
      told: undefined,
      newcomers: new Set(),
    };
    this.#groups.set(key, group);
    for (const flavor of flavors) {
      const groups = this.#byFlavor.get(flavor) ?? new Set();
      groups.add(group);
      this.#byFlavor.set(flavor, groups);
    }
    return group;
  }

  #activate(group: MutableGroup): void {
    group.isActive = true;
    this.#active.add(group);
  }

  /** Where the entry is, or belongs. */
  #placeOf(group: MutableGroup, entry: OrderKey): number {
    let low = 0;
    let high = group.members.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const member = group.members[middle];
      if (member !== undefined && compareByOrder(this.#order, member, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface GroupRecord {
  readonly member: WorkloadId;
  readonly isActive: boolean;
  readonly told: Constraint['kind'] | undefined;
  readonly newcomers: readonly WorkloadId[];
}
