import type {
  Decision,
  NodeSpec,
  PodEnd,
  PodRef,
  PodSetSpec,
  QueueSpec,
  SchedulerInput,
  SetId,
  Snapshot,
} from '../../src/core/index.js';
import { Scheduler } from '../../src/core/index.js';
import type { Happening, World } from './core-world.js';
import { inputsOf } from './core-world.js';
import { bySet, keyOf, LedgerModel } from './ledger-model.js';

const ENDS: readonly PodEnd[] = [
  { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
  { outcome: 'succeeded', blame: 'workload', exitCode: 0 },
  { outcome: 'failed', blame: 'workload', exitCode: 1 },
  { outcome: 'failed', blame: 'workload', exitCode: 75 },
  { outcome: 'failed', blame: 'workload', exitCode: 65 },
  { outcome: 'evicted', blame: 'node', exitCode: 143 },
];
const NODE_STATES = ['suspect', 'quarantined', 'draining', 'lost'] as const;

type NodeHappening = Extract<Happening['kind'], `node-${string}` | 'device' | 'foreign'>;

/** Hooks of a law: called when something may be checked. */
export interface StoryWatcher {
  /** After each happening. */
  readonly afterStep?: (story: CoreStory) => void;
  /** Each decided set, before it is answered; `isLate`: other things happened since. */
  readonly onSet?: (story: CoreStory, set: readonly Decision[], isLate: boolean) => void;
  /** Before each settle: for what must make no difference. */
  readonly beforeSettle?: (story: CoreStory) => void;
}

/** Plays a world and its happenings on a core, with a ledger beside it, and remembers all that was decided. */
export class CoreStory {
  scheduler = new Scheduler();
  readonly ledger = new LedgerModel();
  readonly decisions: Decision[] = [];
  /** When each settle asked to be woken. */
  readonly wakes: (number | undefined)[] = [];
  nowMs = 0;
  queues: readonly QueueSpec[];
  readonly #succeeded = new Set<string>();
  #seq = 0;
  #submitted = 0;
  readonly #counts: { workload: string; podSet: string; count: number; minCount: number }[] = [];
  #open: { readonly set: SetId; readonly decisions: readonly Decision[] }[] = [];

  constructor(
    readonly world: World,
    private readonly watcher: StoryWatcher = {},
    inputs = inputsOf(world),
  ) {
    this.queues = world.queues;
    for (const input of inputs) this.tell(input);
  }

  play(happenings: readonly Happening[]): this {
    for (const happening of happenings) {
      this.step(happening);
      this.watcher.afterStep?.(this);
    }
    return this;
  }

  tell(input: SchedulerInput): void {
    if (input.kind === 'pod-ended' && input.outcome === 'succeeded') {
      this.#succeeded.add(`${input.pod.workload}/${input.pod.podSet}`);
    }
    this.ledger.hear(input);
    this.scheduler.apply({ ...input, seq: ++this.#seq, atMs: this.nowMs });
  }

  /** Goes on with a core restored from a snapshot that went through JSON. */
  restart(): void {
    const snapshot = JSON.parse(JSON.stringify(this.scheduler.snapshot())) as Snapshot;
    this.scheduler = Scheduler.restore(snapshot);
  }

  /** Settles until the core has no more to say; every set is committed. */
  rest(): void {
    this.answerLate();
    for (let round = 0; round < 50; round++) if (this.settle('commit').length === 0) return;
    throw new Error('the core does not come to rest');
  }

  settle(answer: 'commit' | 'refuse-some' | 'later', pick = 0): readonly Decision[] {
    this.watcher.beforeSettle?.(this);
    const { decisions, wakeAtMs } = this.scheduler.decide(this.nowMs);
    this.decisions.push(...decisions);
    this.wakes.push(wakeAtMs);
    let isSpoilt = false;
    for (const [set, members] of bySet(decisions)) {
      if (answer === 'later') {
        this.#open.push({ set, decisions: members });
        continue;
      }
      // A later set may count on what an earlier one frees: once that was refused, the ledger must look again.
      this.watcher.onSet?.(this, members, isSpoilt);
      const isUnwanted = answer === 'refuse-some' && (set + pick) % 3 === 0;
      const isForbidden = isSpoilt && this.ledger.forbids(members, this.queues) !== undefined;
      if (isUnwanted) isSpoilt ||= members.some((member) => 'for' in member);
      this.#answer(set, members, isUnwanted || isForbidden ? 'refuse' : 'commit');
    }
    return decisions;
  }

  answerLate(): void {
    const open = this.#open;
    this.#open = [];
    for (const { set, decisions } of open) {
      this.watcher.onSet?.(this, decisions, true);
      const isForbidden = this.ledger.forbids(decisions, this.queues) !== undefined;
      this.#answer(set, decisions, isForbidden ? 'refuse' : 'commit');
    }
  }

  /** Starts and growth that are decided and not answered yet: the core assumes them. */
  assumed(): readonly (Decision & { readonly kind: 'start' | 'grow' })[] {
    const decisions = this.#open.flatMap((open) => open.decisions);
    return decisions.filter((decision) => decision.kind === 'start' || decision.kind === 'grow');
  }

  /** The fewest and the most pods that the set was ever to have. */
  boundsOf(workload: string, podSet: PodSetSpec): { readonly least: number; readonly most: number } {
    const { count, minCount, onLoss, start } = podSet;
    const changes = this.#counts.filter((change) => change.workload === workload && change.podSet === podSet.name);
    // Those that have succeeded count, though they hold nothing: the others of their set may start after them.
    const isBegun = start === 'each' && this.#succeeded.has(`${workload}/${podSet.name}`);
    const least = isBegun ? 0 : onLoss === 'replace' || start === 'each' ? 1 : minCount;
    return {
      least: Math.min(least, ...changes.map((change) => change.minCount)),
      most: Math.max(count, ...changes.map((change) => change.count)),
    };
  }

  /** What is given up for others by sets that are not answered yet: the core assumes that too. */
  assumedWays(): readonly (Decision & { readonly kind: 'evict' | 'shrink' })[] {
    return this.#open
      .flatMap(({ decisions }) => decisions)
      .filter((decision) => (decision.kind === 'evict' || decision.kind === 'shrink') && decision.for !== undefined)
      .filter((decision) => decision.kind === 'evict' || decision.kind === 'shrink');
  }

  endGoneOf(pod: PodRef): void {
    this.tell({ kind: 'pod-gone', pod });
    this.ledger.gone(pod);
  }

  #answer(set: SetId, decisions: readonly Decision[], answer: 'commit' | 'refuse'): void {
    if (answer === 'commit') {
      this.ledger.commit(decisions);
      this.tell({ kind: 'set-committed', set });
    } else this.tell({ kind: 'set-refused', set, why: 'slot', at: this.world.nodes[0]?.name ?? '' });
  }

  private step({ kind, pick, more }: Happening): void {
    const { nodes, workloads } = this.world;
    const node = nodes[pick % nodes.length]?.name ?? '';
    const pods = [...this.ledger.pods.values()].filter(({ isOccupied }) => isOccupied).map(({ seat }) => seat.pod);
    const pod = pods[pick % Math.max(1, pods.length)];
    const workload = workloads[pick % workloads.length]?.id ?? '';
    switch (kind) {
      case 'submit': {
        const spec = workloads[this.#submitted++];
        if (spec !== undefined) this.tell({ kind: 'workload-submitted', workload: spec });
        return;
      }
      case 'cancel':
        if (more % 3 === 0) this.tell({ kind: 'workload-cancelled', workload });
        return;
      case 'hold':
      case 'lift':
        this.tell({ kind: 'workload-changed', workload, change: { hold: kind === 'hold' } });
        return;
      case 'priority':
        this.tell({ kind: 'workload-changed', workload, change: { priority: more % 4 } });
        return;
      case 'counts':
        this.#changeCounts(workload, more);
        return;
      case 'quota':
        this.#changeQuota(pick, more);
        return;
      case 'wait':
        this.nowMs += (more + 1) * 400;
        return;
      case 'settle':
        this.answerLate();
        this.settle('commit');
        return;
      case 'settle-and-refuse':
        this.answerLate();
        this.settle('refuse-some', pick);
        return;
      case 'settle-later':
        this.settle('later');
        return;
      case 'gone-all':
        for (const one of pods) if (this.#isLeaving(one)) this.endGoneOf(one);
        return;
      case 'start-all':
        for (const one of pods) if (!this.#isWaiting(one)) this.tell({ kind: 'pod-started', pod: one });
        return;
      case 'end-workload':
        for (const one of pods.filter((other) => other.workload === pod?.workload)) {
          this.tell({ kind: 'pod-ended', pod: one, outcome: 'succeeded', blame: 'workload' });
          this.endGoneOf(one);
        }
        return;
      case 'bind':
      case 'start':
      case 'end-pod':
      case 'lose-pod':
      case 'refuse-pod':
      case 'refuse-eviction':
      case 'gone':
        if (pod !== undefined) this.#podHappens(kind, pod, more);
        return;
      case 'node-state':
      case 'node-heals':
      case 'node-fenced':
      case 'node-removed':
      case 'node-back':
      case 'node-resized':
      case 'device':
      case 'foreign':
        this.#nodeHappens(kind, node, more);
    }
  }

  #podHappens(
    kind: 'bind' | 'start' | 'end-pod' | 'lose-pod' | 'refuse-pod' | 'refuse-eviction' | 'gone',
    pod: PodRef,
    more: number,
  ): void {
    switch (kind) {
      case 'bind':
        if (!this.#isWaiting(pod)) this.tell({ kind: 'pod-bound', pod });
        return;
      case 'start':
        if (!this.#isWaiting(pod)) this.tell({ kind: 'pod-started', pod });
        return;
      case 'end-pod':
        this.tell({ kind: 'pod-ended', pod, ...(ENDS[more % ENDS.length] ?? { outcome: 'lost', blame: 'node' }) });
        if (more % 2 === 0) this.endGoneOf(pod);
        return;
      case 'lose-pod':
        this.tell({ kind: 'pod-ended', pod, outcome: 'lost', blame: 'node' });
        return;
      case 'refuse-pod':
        this.tell({ kind: 'pod-refused', pod, why: 'test', retry: more % 5 === 0 ? 'never' : 'elsewhere' });
        this.ledger.gone(pod);
        return;
      case 'refuse-eviction':
        this.tell({ kind: 'eviction-refused', pod, retryAtMs: this.nowMs + (more % 4) * 500 });
        return;
      case 'gone':
        this.endGoneOf(pod);
    }
  }

  #nodeHappens(kind: NodeHappening, node: string, more: number): void {
    switch (kind) {
      case 'node-state':
        this.tell({ kind: 'node-state-changed', node, state: NODE_STATES[more % 4] ?? 'lost', cause: 'test' });
        return;
      case 'node-heals':
        this.tell({ kind: 'node-state-changed', node, state: 'healthy', cause: 'test' });
        return;
      case 'node-fenced':
        this.tell({ kind: 'node-fenced', node });
        this.#emptyNode(node);
        return;
      case 'node-removed':
        if (more % 3 !== 0) return;
        this.tell({ kind: 'node-removed', node });
        return;
      case 'node-resized': {
        const spec = this.world.nodes.find(({ name }) => name === node);
        if (spec !== undefined) this.tell({ kind: 'node-seen', node: resized(spec, more) });
        return;
      }
      case 'node-back': {
        const spec = this.world.nodes.find(({ name }) => name === node);
        if (spec !== undefined) this.tell({ kind: 'node-seen', node: spec });
        return;
      }
      case 'device':
        this.tell({
          kind: 'device-state-changed',
          node,
          slot: more % 4,
          state: more % 3 === 0 ? 'failed' : more % 3 === 1 ? 'suspect' : 'healthy',
        });
        return;
      case 'foreign':
        this.tell({
          kind: 'foreign-use-seen',
          node,
          use: { cpuMilli: (more % 3) * 1000, memoryMib: 0, pods: more % 2 },
          slots: more % 2 === 0 ? [] : [more % 4],
        });
    }
  }

  #emptyNode(node: string): void {
    for (const { seat } of [...this.ledger.pods.values()]) if (seat.node === node) this.ledger.gone(seat.pod);
  }

  #isWaiting(pod: PodRef): boolean {
    const known = this.ledger.pods.get(keyOf(pod));
    return known !== undefined && this.ledger.isWaiting(known);
  }

  #isLeaving(pod: PodRef): boolean {
    return this.ledger.podsOf(pod.workload).some(({ seat, isClaimed }) => seat.pod === pod && !isClaimed);
  }

  #changeCounts(workload: string, more: number): void {
    const sets = this.world.workloads.find(({ id }) => id === workload)?.podSets ?? [];
    const podSet = sets[more % sets.length];
    if (podSet === undefined) return;
    const minCount = 1 + (more % 3);
    const count = minCount + ((more >> 2) % 3);
    this.#counts.push({ workload, podSet: podSet.name, count, minCount });
    this.tell({ kind: 'workload-changed', workload, change: { counts: { [podSet.name]: { count, minCount } } } });
  }

  #changeQuota(pick: number, more: number): void {
    const queue = this.queues[pick % this.queues.length];
    if (queue === undefined) return;
    const h100 = { ...queue.quotas['h100'], nominal: (more % 9) * 1000 };
    const changed = { ...queue, quotas: { ...queue.quotas, h100 } };
    this.queues = this.queues.map((other) => (other.name === queue.name ? changed : other));
    this.tell({ kind: 'queue-set', queue: changed });
  }
}

/** Another amount of everything, down to less than what may be held there. */
function resized(spec: NodeSpec, more: number): NodeSpec {
  const capacity = { cpuMilli: (more % 5) * 2000, memoryMib: (1 + (more % 4)) * 4096, pods: 1 + (more % 6) };
  return {
    ...spec,
    capacity,
    accelerators: spec.accelerators.map((devices) => ({ ...devices, count: 1 + (more % 5) })),
  };
}
