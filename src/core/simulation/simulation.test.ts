import { describe, expect, it } from '@jest/globals';
import { aFlavor, aNode, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Decision, Ms, WorkloadSpec } from '../contract/index.js';
import type { SimulationOptions } from './index.js';
import { Simulation, SimulationError } from './index.js';

/** A fleet of nodes with 8 devices each, one queue, and what was decided when. */
class Played {
  readonly heard: string[] = [];
  readonly simulation: Simulation;

  constructor(nodes: readonly string[], options: Partial<SimulationOptions> & { readonly runtimeMs?: Ms } = {}) {
    this.simulation = new Simulation({
      runtimeMsOf: () => options.runtimeMs,
      watcher: {
        decided: (decision, atMs) => {
          if (decision.kind !== 'wait') this.heard.push(`${atMs} ${wordsOf(decision)}`);
        },
      },
      ...options,
    });
    this.simulation.add(
      0,
      { kind: 'flavor-set', flavor: aFlavor('h100') },
      { kind: 'queue-set', queue: aQueue('lab', { h100: 64 }) },
      ...nodes.map((name) => ({ kind: 'node-seen', node: aNode(name, { rack: 'r1' }) }) as const),
    );
  }

  submit(atMs: Ms, ...workloads: readonly WorkloadSpec[]): this {
    for (const workload of workloads) this.simulation.add(atMs, { kind: 'workload-submitted', workload });
    return this;
  }
}

function wordsOf({ kind, workload }: Decision): string {
  return `${kind} ${workload}`;
}

describe(Simulation.name, () => {
  it('lets a workload succeed after its running time, and starts the next on its devices', () => {
    const { simulation, heard } = new Played(['a'], { runtimeMs: 5000 }).submit(
      0,
      aWorkload('one', { pods: { gpus: 8 } }),
      aWorkload('two', { pods: { gpus: 8 } }),
    );
    simulation.runToEnd();
    expect(heard.filter((line) => /start|finish/.test(line))).toEqual([
      '0 start one',
      '5000 finish one',
      '5000 start two',
      '10000 finish two',
    ]);
    expect(simulation.nowMs).toBe(10_000);
  });

  it('tells inputs of one time in the order given, and settles once for all of them', () => {
    const played = new Played(['a']).submit(3000, aWorkload('one', { pods: { gpus: 8 } }));
    played.simulation.add(3000, { kind: 'workload-cancelled', workload: 'one' });
    played.simulation.runUntil(3000);
    expect(played.heard).toEqual(['3000 finish one']);
  });

  it('ends a workload that is said to finish, and only one that runs', () => {
    const { simulation, heard } = new Played(['a']).submit(0, aWorkload('one'));
    simulation.add(700, { kind: 'workload-finished', workload: 'one' });
    simulation.runUntil(700);
    expect(heard).toContain('700 finish one');
    simulation.add(800, { kind: 'workload-finished', workload: 'one' });
    expect(() => {
      simulation.runUntil(800);
    }).toThrow(new SimulationError(800, 'one does not run, so it cannot finish'));
  });

  it.each([
    ['all of its work without checkpoints', undefined, 27_500],
    ['what no checkpoint holds', 2000, 21_500],
  ])('takes from an evicted workload %s', (_what, checkpointEveryMs, endMs) => {
    const spec = aWorkload('one', { ...(checkpointEveryMs === undefined ? {} : { checkpointEveryMs }) });
    const { simulation, heard } = new Played(['a', 'b'], { runtimeMs: 20_000 }).submit(0, spec);
    simulation.add(7500, { kind: 'node-state-changed', node: 'a', state: 'draining', cause: 'test' });
    simulation.runToEnd();
    expect(heard).toContain('7500 evict one');
    expect(heard.at(-1)).toBe(`${endMs} finish one`);
  });

  it('lets evicted pods go after the grace time', () => {
    const { simulation, heard } = new Played(['a', 'b'], { graceMs: 3000 }).submit(0, aWorkload('one'));
    simulation.add(1000, { kind: 'node-state-changed', node: 'a', state: 'draining', cause: 'test' });
    simulation.runUntil(3999);
    expect(simulation.cluster.podsOf('one').map(({ state }) => state)).toEqual(['leaving']);
    simulation.runUntil(4000);
    expect(simulation.cluster.podsOf('one').map(({ state, seat }) => [state, seat.node])).toEqual([['up', 'b']]);
    expect(heard.at(-1)).toBe('4000 start one');
  });

  it('hears nothing of a lost node until it is fenced or answers', () => {
    const { simulation } = new Played(['a', 'b'], { fencedAfterMs: 60_000 }).submit(0, aWorkload('one'));
    simulation.add(1000, { kind: 'node-state-changed', node: 'a', state: 'lost', cause: 'test' });
    simulation.runUntil(60_999);
    expect(simulation.cluster.podsOn('a').map(({ state }) => state)).toEqual(['leaving']);
    expect(simulation.cluster.podsOn('b').map(({ state }) => state)).toEqual(['up']);
    simulation.runUntil(61_000);
    expect(simulation.cluster.podsOn('a')).toEqual([]);
  });

  it('goes on with pods that were there before', () => {
    const { simulation, heard } = new Played(['a'], { runtimeMs: 5000 }).submit(
      0,
      aWorkload('old', { incarnation: 1 }),
    );
    const pod = { workload: 'old', incarnation: 1, podSet: 'worker', index: 0 };
    const seat = { pod, node: 'a', slots: [{ slot: 0, milli: 1000 }], cpuMilli: 1000, memoryMib: 1024 };
    simulation.add(0, { kind: 'pod-adopted', seat, state: 'started', startedAtMs: -2000 });
    simulation.runToEnd();
    expect(heard.at(-1)).toBe('3000 finish old');
  });

  it('ends though a workload runs for ever', () => {
    const { simulation } = new Played(['a']).submit(0, aWorkload('one', { checkpointEveryMs: 1000 }));
    simulation.runToEnd();
    expect(simulation.cluster.podsOf('one')).toHaveLength(1);
  });

  it('has nothing more to decide once it has come to rest', () => {
    const { simulation } = new Played(['a']).submit(0, aWorkload('one'), aWorkload('big', { pods: { gpus: 9 } }));
    simulation.runUntil(0);
    expect(simulation.round()).toEqual([]);
  });
});
