import type {
  Constraint,
  FlavorName,
  Order,
  PodSetSpec,
  QueueName,
  WorkloadId,
  WorkloadSpec,
} from '../contract/index.js';
import { isRuled, looksForOthers } from '../standing-rules.js';
import type { Sorted } from '../sorted-list.js';
import { SortedList } from '../sorted-list.js';
import { compareText } from '../text-order.js';
import type { WorkCounts } from '../work-counts.js';
import { noWork } from '../work-counts.js';
import { ActiveGroups } from './active-groups.js';
import { GrowingWorkloads } from './growing-workloads.js';
import type { OrderKey } from './order-key.js';
import { compareByOrder, orderKeyOf } from './order-key.js';
import type { WorkloadRecord } from './workload-record.js';
import { groupKeyOf } from './workload-record.js';

/** What each member of a group asks for, up to names. */
export interface PendingNeed {
  readonly queue: QueueName;
  readonly podSets: readonly PodSetSpec[];
}

/** Waiting workloads of equal need, first to last. Its head is visited for all of them. */
export interface PendingGroup extends PendingNeed {
  /** As `flavorsOf`. */
  readonly flavors: ReadonlySet<FlavorName>;
  readonly members: Sorted<OrderKey>;
  readonly isActive: boolean;
  /** The constraint last told for its members, and who joined since. */
  readonly told: Constraint['kind'] | undefined;
  readonly newcomers: ReadonlySet<WorkloadId>;
}

interface MutableGroup extends PendingGroup {
  readonly key: string;
  readonly queue: QueueName;
  readonly members: SortedList<OrderKey>;
  readonly flavors: ReadonlySet<FlavorName>;
  readonly priority: number;
  isActive: boolean;
  told: Constraint['kind'] | undefined;
  newcomers: Set<WorkloadId>;
}

/** Stands for the pods that need no flavor, in `wake`. */
export const NO_FLAVOR = '';

/** Stand for pods to which others matter, by rules beyond their node: those that go, and those that come as well. */
export const RULED = '\n ruled';
export const LOOKS_FOR_OTHERS = '\n looks for others';

/** Every flavor that its pods may use, `NO_FLAVOR` for those that need none, and what else may wake them. */
export function flavorsOf({ podSets }: WorkloadSpec): ReadonlySet<FlavorName> {
  const flavors = new Set(podSets.flatMap((podSet) => (podSet.flavors.length > 0 ? podSet.flavors : [NO_FLAVOR])));
  if (podSets.some(isRuled)) flavors.add(RULED);
  if (podSets.some(looksForOthers)) flavors.add(LOOKS_FOR_OTHERS);
  return flavors;
}

/**
 * Pending work by equal need. A group is *active* until its head is found blocked, then *parked* until something comes
 * free that could help it: so a settle costs what changed, however many wait.
 */
export class PendingGroups {
  /** Woken with the groups: what lets a waiting workload start may let a running one grow. */
  readonly growing = new GrowingWorkloads();
  readonly #groups = new Map<string, MutableGroup>();
  readonly #groupOf = new Map<WorkloadId, { readonly group: MutableGroup; readonly entry: OrderKey }>();
  readonly #active = new ActiveGroups<MutableGroup>();
  /** Those that somebody joined who was told nothing yet. */
  readonly #joined = new Set<MutableGroup>();
  readonly #byFlavor = new Map<FlavorName, Set<MutableGroup>>();
  readonly #byQueue = new Map<QueueName, Set<MutableGroup>>();
  /** Those that were activated since `takeWoken`. */
  readonly #woken = new Set<MutableGroup>();
  /** Those that have left since `takeLeft`. */
  readonly #left = new Set<WorkloadId>();
  #order: Order = 'fair';

  readonly #work: WorkCounts;

  constructor(work = noWork()) {
    this.#work = work;
  }

  get size(): number {
    return this.#groupOf.size;
  }

  /** A new order makes the groups anew, of these records; nobody is parked then, and who was told what is forgotten. */
  setOrder(order: Order, waiting: readonly WorkloadRecord[]): void {
    this.#order = order;
    for (const index of [this.#groups, this.#groupOf, this.#byFlavor, this.#byQueue]) index.clear();
    for (const groups of [this.#active, this.#joined, this.#woken]) groups.clear();
    for (const record of waiting) this.add(record);
  }

  add(record: WorkloadRecord): void {
    const key = groupKeyOf(record, this.#order);
    const group = this.#groups.get(key) ?? this.#create(key, record);
    const entry = orderKeyOf(this.#order, record);
    group.members.add(entry);
    group.newcomers.add(entry.id);
    this.#joined.add(group);
    this.#groupOf.set(entry.id, { group, entry });
    // Equals cannot do what the head could not: only a new head is worth a trial.
    if (group.members.first === entry) this.#activate(group);
  }

  remove(record: WorkloadRecord): void {
    const known = this.#groupOf.get(record.spec.id);
    if (known === undefined) return;
    const { group, entry } = known;
    this.#groupOf.delete(entry.id);
    this.#left.add(entry.id);
    const isHead = group.members.first === entry;
    group.members.delete(entry);
    // Its timer woke the group; the next head has none yet.
    if (isHead && record.tryAgainAtMs !== undefined) this.#activate(group);
    group.newcomers.delete(entry.id);
    if (group.members.length > 0) return;
    this.#groups.delete(group.key);
    this.#active.delete(group);
    this.#joined.delete(group);
    this.#woken.delete(group);
    for (const flavor of group.flavors) this.#byFlavor.get(flavor)?.delete(group);
    this.#byQueue.get(group.queue)?.delete(group);
  }

  groupOf(id: WorkloadId): PendingGroup | undefined {
    return this.#groupOf.get(id)?.group;
  }

  /** Those whose head may be able to start, in no particular order. */
  active(): Iterable<PendingGroup> {
    return this.#active.all();
  }

  /** The queues in which somebody may be able to start, in no particular order. */
  activeQueues(): Iterable<QueueName> {
    return this.#active.queues();
  }

  /** As `active`, in one queue. */
  activeIn(queue: QueueName): Iterable<PendingGroup> {
    return this.#active.inQueue(queue);
  }

  /** As `activeIn`: those of a higher priority, in an order that does not put the highest first; by `fair` none. */
  activeAbove(queue: QueueName, priority: number): Iterable<PendingGroup> {
    return this.#order === 'fair' ? [] : this.#active.above(queue, priority);
  }

  /** All that wait, in no particular order. */
  all(): Iterable<PendingGroup> {
    return this.#groups.values();
  }

  /** Those that have become active since this was asked last, in no particular order. */
  takeWoken(): readonly PendingGroup[] {
    const woken = [...this.#woken];
    this.#woken.clear();
    return woken;
  }

  /** Who has stopped waiting since this was asked last, in no particular order; some may wait again. */
  takeLeft(): readonly WorkloadId[] {
    const left = [...this.#left];
    this.#left.clear();
    return left;
  }

  park(id: WorkloadId): void {
    const group = this.#groupOf.get(id)?.group;
    if (group === undefined) return;
    group.isActive = false;
    this.#active.delete(group);
  }

  /** Something of the flavor came free, on a node or in a queue. */
  wake(flavor: FlavorName): void {
    for (const group of this.#byFlavor.get(flavor) ?? []) this.#activate(group);
    this.growing.wake(flavor);
  }

  /** Those of the queue with a member of this priority or a higher one. */
  wakeFrom(queue: QueueName, priority: number): void {
    for (const group of this.#byQueue.get(queue) ?? []) {
      if (this.#highestOf(group) >= priority) this.#activate(group);
    }
  }

  /** Time or a plan has changed what this one could do. */
  wakeGroupOf(id: WorkloadId): void {
    const group = this.#groupOf.get(id)?.group;
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
    for (const group of this.#byQueue.get(queue) ?? []) {
      if (isHopeless(group.members.first?.id ?? '')) continue;
      const member = firstThat(group.members, ({ id }) => !isPassedOver(id));
      if (member === undefined || (first !== undefined && compareByOrder(member, first) > 0)) continue;
      first = member;
      ({ isActive } = group);
    }
    return first === undefined ? undefined : { id: first.id, isActive };
  }

  wakeAll(): void {
    for (const group of this.#groups.values()) this.#activate(group);
    this.growing.wakeAll();
  }

  /** Whom to tell that this constraint binds: all of the group when it is news, else who joined since. */
  tell(id: WorkloadId, binding: Constraint['kind']): readonly WorkloadId[] {
    const group = this.#groupOf.get(id)?.group;
    if (group === undefined) return [];
    this.#joined.delete(group);
    const isNews = group.told !== binding;
    if (!isNews && group.newcomers.size === 0) return [];
    const joined = [...group.newcomers].map((newcomer) => this.#groupOf.get(newcomer)?.entry);
    const news = isNews ? [...group.members] : joined.filter((entry) => entry !== undefined).sort(compareByOrder);
    group.told = binding;
    group.newcomers.clear();
    return news.map((member) => member.id);
  }

  /** The heads of parked groups that somebody joined, with the constraint that binds them; sorted. */
  joined(): readonly { readonly head: WorkloadId; readonly binding: Constraint['kind'] }[] {
    return [...this.#joined]
      .flatMap(({ members, isActive, told }) => {
        const head = members.first?.id;
        return isActive || told === undefined || head === undefined ? [] : [{ head, binding: told }];
      })
      .sort((a, b) => compareText(a.head, b.head));
  }

  /** For the snapshot: one member stands for its group. */
  records(): readonly GroupRecord[] {
    return [...this.#groups.values()]
      .map(({ members, isActive, told, newcomers }) => {
        return { member: members.first?.id ?? '', isActive, told, newcomers: [...newcomers] };
      })
      .sort((a, b) => compareText(a.member, b.member));
  }

  restore(records: readonly GroupRecord[]): void {
    for (const { member, isActive, told, newcomers } of records) {
      const group = this.#groupOf.get(member)?.group;
      if (group === undefined) continue;
      group.told = told;
      group.newcomers = new Set(newcomers);
      if (newcomers.length === 0) this.#joined.delete(group);
      if (!isActive) this.park(member);
    }
  }

  #create(key: string, { spec }: WorkloadRecord): MutableGroup {
    const flavors = flavorsOf(spec);
    const { queue, podSets } = spec;
    const told = { told: undefined, newcomers: new Set<WorkloadId>() };
    const priority = this.#order === 'fair' ? 0 : spec.priority;
    const members = new SortedList(compareByOrder);
    const group: MutableGroup = { key, queue, podSets, members, flavors, priority, isActive: false, ...told };
    this.#groups.set(key, group);
    for (const flavor of flavors) enter(this.#byFlavor, flavor, group);
    enter(this.#byQueue, queue, group);
    return group;
  }

  /** By `fair` the first has it; else all have the same. */
  #highestOf({ members, priority }: MutableGroup): number {
    return this.#order === 'fair' ? -(members.first?.rank ?? 0) : priority;
  }

  #activate(group: MutableGroup): void {
    if (group.isActive) return;
    this.#work.wakes++;
    group.isActive = true;
    this.#active.add(group);
    this.#woken.add(group);
  }
}

/** Where the entry is among the members, or belongs: so many come before it. */
export function placeIn({ members }: PendingGroup, entry: OrderKey): number {
  return members.countWhile((member) => compareByOrder(member, entry) < 0);
}

function enter<Key>(index: Map<Key, Set<MutableGroup>>, key: Key, group: MutableGroup): void {
  const groups = index.get(key) ?? new Set();
  index.set(key, groups.add(group));
}

function firstThat(members: Iterable<OrderKey>, isIt: (member: OrderKey) => boolean): OrderKey | undefined {
  for (const member of members) if (isIt(member)) return member;
  return undefined;
}

export interface GroupRecord {
  readonly member: WorkloadId;
  readonly isActive: boolean;
  readonly told: Constraint['kind'] | undefined;
  readonly newcomers: readonly WorkloadId[];
}
