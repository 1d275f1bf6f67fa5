import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Policy, QueueSpec } from '../index.js';
import { DEFAULT_POLICY } from '../index.js';

const SECOND = 1000;

interface Wish {
  readonly gpus: number;
  readonly pods?: number;
  readonly queue?: string;
  readonly estimate?: number;
  readonly limit?: number;
  readonly priority?: number;
  readonly at?: number;
  readonly model?: string;
}

/** Plays on a clock: what has an entry in `runtimes` ends by itself so many seconds after its start. */
class Stage {
  readonly rig = new CoreRig();
  readonly #runtimes = new Map<string, number>();
  readonly #ends: { readonly atMs: number; readonly id: string }[] = [];
  #wakeAtMs: number | undefined;
  #heard = 0;

  constructor(
    nodes: Readonly<Record<string, number>>,
    backfill: Partial<Policy['backfill']> = {},
    queues?: QueueSpec[],
  ) {
    this.rig.tell({
      kind: 'policy-set',
      policy: aPolicy({
        backfill: { ...DEFAULT_POLICY.backfill, ...backfill },
        preemption: { ...DEFAULT_POLICY.preemption, minRuntimeMs: 0 },
      }),
    });
    for (const model of ['h100', 'a100']) this.rig.tell({ kind: 'flavor-set', flavor: aFlavor(model) });
    const quotas = { h100: { nominal: 64_000 }, a100: { nominal: 64_000 } };
    for (const queue of queues ?? [aQueue('lab', { quotas })]) this.rig.tell({ kind: 'queue-set', queue });
    for (const [name, devices] of Object.entries(nodes)) {
      this.rig.tell({
        kind: 'node-seen',
        node: aNode(name, { devices, model: name.startsWith('a') ? 'a100' : 'h100' }),
      });
    }
  }

  submit(id: string, runtime: number | undefined, wish: Wish): this {
    const { gpus, pods = 1, queue = 'lab', estimate, limit, priority = 0, at = 0, model = 'h100' } = wish;
    if (runtime !== undefined) this.#runtimes.set(id, runtime);
    this.rig.submit(
      aWorkload(id, {
        queue,
        priority,
        submittedAtMs: at,
        pods: { gpus, count: pods, flavors: [model] },
        ...(estimate === undefined ? {} : { estimateMs: estimate * SECOND }),
        ...(limit === undefined ? {} : { limitMs: limit * SECOND }),
      }),
    );
    return this;
  }

  settle(): this {
    this.rig.settle();
    for (const decision of this.rig.decisions.slice(this.#heard)) {
      if (decision.kind !== 'start') continue;
      const runtime = this.#runtimes.get(decision.workload);
      if (runtime !== undefined) this.#ends.push({ atMs: this.rig.nowMs + runtime * SECOND, id: decision.workload });
    }
    this.#heard = this.rig.decisions.length;
    this.#wakeAtMs = this.rig.decide().wakeAtMs;
    return this;
  }

  /** Up to this second, waking when an end comes and when the core asks. */
  until(second: number): this {
    this.settle();
    for (let round = 0; round < 1000; round++) {
      const next = Math.min(this.#wakeAtMs ?? Infinity, ...this.#ends.map(({ atMs }) => atMs));
      if (next > second * SECOND) break;
      this.rig.nowMs = next;
      for (const end of this.#ends.filter(({ atMs }) => atMs === next)) this.end(end.id);
      this.settle();
    }
    this.rig.nowMs = second * SECOND;
    return this.settle();
  }

  end(id: string): this {
    const at = this.#ends.findIndex((end) => end.id === id);
    if (at >= 0) this.#ends.splice(at, 1);
    for (const pod of this.rig.podsOf(id)) this.rig.endPod(pod);
    this.rig.goPods(this.rig.podsOf(id));
    return this;
  }

  running(): string {
    return this.rig
      .view()
      .workloads.filter(({ state }) => state === 'running')
      .map(({ id }) => id)
      .join(' ');
  }

  /** Planned starts in seconds. */
  plans(): Readonly<Record<string, number>> {
    const planned = this.rig.view().workloads.flatMap(({ id, plannedStartMs }) => {
      return plannedStartMs === undefined ? [] : [[id, plannedStartMs / SECOND] as const];
    });
    return Object.fromEntries(planned);
  }
}

describe('planned starts', () => {
  it('lets a short workload start ahead when it ends before the planned start', () => {
    const stage = new Stage({ n: 8 });
    stage.submit('now', 1000, { gpus: 4, estimate: 1000 }).settle();
    stage.submit('big', 500, { gpus: 8, estimate: 500, at: 1 });
    stage.submit('short', 600, { gpus: 4, estimate: 600, at: 2 }).settle();
    expect(stage.running()).toBe('now short');
    expect(stage.plans()).toEqual({ big: 1000 });
    expect(stage.until(800).running()).toBe('now');
    expect(stage.until(1010).running()).toBe('big');
    expect(stage.until(1600).running()).toBe('');
  });

  it('makes a long workload that would delay the planned start wait behind it', () => {
    const stage = new Stage({ n: 8 });
    stage.submit('now', 700, { gpus: 4, estimate: 700 }).settle();
    stage.submit('big', 300, { gpus: 8, estimate: 300, at: 1 });
    stage.submit('long', 2000, { gpus: 4, estimate: 2000, at: 2 }).settle();
    expect(stage.running()).toBe('now');
    expect(stage.plans()).toEqual({ big: 700 });
    expect(stage.until(710).running()).toBe('big');
    expect(stage.until(1010).running()).toBe('long');
  });

  it('lets nobody of unknown run time slip ahead', () => {
    const stage = new Stage({ n: 8 });
    stage.submit('now', 300, { gpus: 4, estimate: 300 }).settle();
    stage.submit('big', 300, { gpus: 8, estimate: 300, at: 1 });
    stage.submit('riddle', 50, { gpus: 4, at: 2 }).settle();
    expect(stage.running()).toBe('now');
    expect(stage.until(310).running()).toBe('big');
    expect(stage.until(610).running()).toBe('riddle');
  });

  it('protects the second planned start too when the depth is larger', () => {
    const stage = new Stage({ 'a-0': 8, 'a-1': 8 }, { depth: 5 });
    const model = 'a100';
    stage.submit('now', 100, { gpus: 1, pods: 10, estimate: 100, model }).settle();
    stage.submit('alpha', 100, { gpus: 1, pods: 12, estimate: 100, at: 1, model });
    stage.submit('beta', 100, { gpus: 1, pods: 15, estimate: 100, at: 2, model });
    stage.submit('gamma', 1000, { gpus: 1, pods: 2, estimate: 1000, at: 3, model }).settle();
    expect(stage.running()).toBe('now');
    expect(stage.plans()).toEqual({ alpha: 100, beta: 200, gamma: 300 });
    expect(stage.until(110).running()).toBe('alpha');
    expect(stage.until(210).running()).toBe('beta');
    expect(stage.until(310).running()).toBe('gamma');
  });

  it('plans the second of equals too, and both start as planned', () => {
    const stage = new Stage({ n: 8 }, { depth: 2 });
    stage.submit('now', 100, { gpus: 8, estimate: 100 }).settle();
    for (const [index, id] of ['one', 'two', 'three'].entries()) {
      stage.submit(id, 50, { gpus: 8, estimate: 50, at: index + 1 });
    }
    stage.settle();
    expect(stage.plans()).toEqual({ one: 100, two: 150 });
    expect(stage.until(100).running()).toBe('one');
    expect(stage.plans()).toEqual({ two: 150, three: 200 });
  });

  it('counts quota that comes free, and not only devices', () => {
    const queues = [
      aQueue('root'),
      aQueue('lab', { parent: 'root', h100: 4, borrow: 0 }),
      aQueue('rest', { parent: 'root', h100: 4 }),
    ];
    const stage = new Stage({ n: 4, m: 4 }, {}, queues);
    stage.submit('now', 300, { gpus: 3, estimate: 300 }).settle();
    stage.submit('next', 100, { gpus: 4, estimate: 100, at: 1 }).settle();
    expect(stage.plans()).toEqual({ next: 300 });
    expect(stage.until(310).running()).toBe('next');
  });

  it('holds back no work for another model', () => {
    const stage = new Stage({ h: 4, a: 4 });
    stage.submit('now', 200, { gpus: 2, estimate: 200 }).settle();
    stage.submit('big', 100, { gpus: 4, estimate: 100, at: 1 });
    stage.submit('aside', 9000, { gpus: 4, estimate: 9000, at: 2, model: 'a100' }).settle();
    expect(stage.running()).toBe('aside now');
    expect(stage.until(210).running()).toBe('aside big');
  });

  it('gives whoever would delay a plan other seats, when there are some', () => {
    const stage = new Stage({ n: 8, o: 8 });
    stage.submit('now', 500, { gpus: 4, estimate: 500 }).settle();
    stage.submit('there', 900, { gpus: 8, estimate: 900, at: 1 }).settle();
    stage.submit('big', 100, { gpus: 8, estimate: 100, at: 2 }).settle();
    expect(stage.plans()).toEqual({ big: 500 });
    stage.rig.tell({ kind: 'node-seen', node: aNode('p', { devices: 8 }) });
    stage.rig.nodeState('p', 'healthy');
    stage.settle();
    expect(stage.running()).toBe('big now there');

    const beside = new Stage({ n: 8, o: 6 });
    beside.submit('now', 500, { gpus: 6, estimate: 500 }).settle();
    beside.submit('there', 400, { gpus: 6, estimate: 400, at: 1 }).settle();
    beside.submit('big', 100, { gpus: 6, estimate: 100, at: 2 }).settle();
    beside.submit('riddle', 5000, { gpus: 2, at: 3 }).settle();
    expect(beside.running()).toBe('now riddle there');
    expect(beside.plans()['big']).toBe(400);
  });

  it('starts as soon as what it waits for ends early, and later when that ends late', () => {
    const early = new Stage({ n: 8 });
    early.submit('now', 400, { gpus: 4, estimate: 1000 }).submit('big', 10, { gpus: 8, estimate: 10, at: 1 });
    expect(early.settle().plans()).toEqual({ big: 1000 });
    expect(early.until(400).running()).toBe('big');

    const late = new Stage({ n: 8 });
    late.submit('now', 1150, { gpus: 4, estimate: 1000 }).submit('big', 10, { gpus: 8, estimate: 10, at: 1 });
    expect(late.until(1000).plans()).toEqual({ big: 1100 });
    expect(late.until(1100).plans()).toEqual({ big: 1210 });
    expect(late.until(1150).running()).toBe('big');
  });

  it('plans nothing and lets everybody pass at depth 0', () => {
    const stage = new Stage({ n: 8 }, { depth: 0 });
    stage.submit('now', 1000, { gpus: 4, estimate: 1000 }).settle();
    stage.submit('big', 500, { gpus: 8, estimate: 500, at: 1 }).submit('riddle', 50, { gpus: 4, at: 2 }).settle();
    expect(stage.running()).toBe('now riddle');
    expect(stage.plans()).toEqual({});
  });

  it('gives way to a higher priority, and to nobody else', () => {
    const stage = new Stage({ n: 8 });
    stage.submit('now', 700, { gpus: 4, estimate: 700 }).settle();
    stage.submit('big', 300, { gpus: 8, estimate: 300, at: 1 });
    stage.submit('equal', 900, { gpus: 4, estimate: 900, at: 2 }).settle();
    expect(stage.running()).toBe('now');
    stage.submit('urgent', 900, { gpus: 4, estimate: 900, at: 3, priority: 5 }).settle();
    expect(stage.running()).toBe('now urgent');
    expect(stage.plans()).toEqual({ big: 900 });
  });

  it('moves a plan when capacity is lost, and says so once', () => {
    const stage = new Stage({ n: 8, o: 8 });
    stage.submit('now', 700, { gpus: 8, estimate: 700 });
    stage.submit('other', 2000, { gpus: 8, estimate: 2000, at: 1 }).settle();
    stage.submit('big', 300, { gpus: 8, estimate: 300, at: 2 }).settle();
    expect(stage.plans()).toEqual({ big: 700 });
    const node = stage.rig.startOf('now')?.seats[0]?.node ?? '';
    stage.rig.nodeState(node, 'quarantined');
    expect(stage.settle().plans()).toEqual({ big: 2000 });
    expect(stage.rig.decisions.filter(({ kind }) => kind === 'plan')).toHaveLength(2);
    stage.rig.tell({ kind: 'workload-cancelled', workload: 'big' });
    expect(stage.settle().plans()).toEqual({});
  });

  it('evicts who runs past its limit, for good', () => {
    const stage = new Stage({ n: 8 });
    stage.submit('endless', undefined, { gpus: 8, limit: 100 }).submit('next', 10, { gpus: 8, at: 1 }).settle();
    expect(stage.plans()).toEqual({ next: 100 });
    expect(stage.until(100).running()).toBe('next');
    const evicts = stage.rig.decisions.flatMap((decision) => (decision.kind === 'evict' ? [decision] : []));
    expect(evicts.map(({ reason, then }) => `${reason} ${then}`)).toEqual(['over-limit fail']);
    expect(stage.rig.stateOf('endless')).toBe('gone');
  });

  it('learns how long work without estimate takes, for plans only', () => {
    const stage = new Stage({ n: 8 });
    for (let index = 0; index < 20; index++) stage.submit(`past${index}`, 100 + index, { gpus: 8, at: index });
    stage.until(3000).submit('now', 500, { gpus: 4, at: 100 }).settle();
    stage.submit('big', 10, { gpus: 8, estimate: 10, at: 101 }).submit('riddle', 10, { gpus: 4, at: 102 }).settle();
    expect(stage.plans()).toEqual({ big: 3109 });
    expect(stage.running()).toBe('now');
  });
});
