import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';

const SECOND = 1000;

interface Case {
  /** Of the one that may evict. */
  readonly estimate: number;
  readonly priority?: number;
  /** Devices of the planned one's queue. */
  readonly vip?: number;
  /** Devices of another node, with a guest on it. */
  readonly besides?: number;
  readonly want: string;
}

const cases: Readonly<Record<string, Case>> = {
  'waits when it would run into the plan': { estimate: 5000, want: 'home waits' },
  'goes ahead when it ends before': { estimate: 400, want: 'home for visit' },
  'takes from others beside the plan': { estimate: 5000, besides: 2, want: 'home for stray' },
  'goes before a plan of lower priority': { estimate: 5000, priority: 6, want: 'home for visit' },
  'goes before a plan that borrows what is its own': { estimate: 5000, vip: 6, want: 'home for visit' },
};

/**
 * A node of 8: `rest` for 500 s on 6 of them and the guest `visit` for 1,000 s on 2; `big` is planned there for when
 * both have ended. Then `home`, whose quota the guest uses.
 */
function play({ estimate, priority = 0, vip = 8, besides }: Omit<Case, 'want'>) {
  const rig = new CoreRig();
  rig.tell({
    kind: 'policy-set',
    policy: aPolicy({ preemption: { ...aPolicy().preemption, minRuntimeMs: 0 } }),
  });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('root') });
  rig.tell({ kind: 'queue-set', queue: aQueue('vip', { parent: 'root', h100: vip, reclaim: 'never' }) });
  rig.tell({ kind: 'queue-set', queue: aQueue('own', { parent: 'root', h100: 2 }) });
  rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: 0 }) });
  rig.tell({ kind: 'node-seen', node: aNode('n') });
  const submit = (id: string, [queue, gpus, seconds]: readonly [string, number, number], wish = {}) => {
    rig.nowMs += SECOND;
    const estimateMs = seconds * SECOND;
    rig.submit(aWorkload(id, { queue, pods: { gpus }, estimateMs, submittedAtMs: rig.nowMs, ...wish }));
    rig.settle();
  };
  submit('rest', ['vip', 6, 500], { preemptible: false });
  submit('visit', ['guest', 2, 1000]);
  submit('big', ['vip', 8, 500], { priority: 5 });
  if (besides !== undefined) {
    rig.tell({ kind: 'node-seen', node: aNode('other', { devices: besides }) });
    submit('stray', ['guest', besides, 9000]);
  }
  const plannedMs = rig.view().workloads.find(({ id }) => id === 'big')?.plannedStartMs;
  submit('home', ['own', 2, estimate], { priority });
  return { rig, plannedMs };
}

describe('a start in the place of others, beside a planned start', () => {
  it.each(Object.entries(cases))('%s', (_, { want, ...wish }) => {
    const { rig, plannedMs } = play(wish);
    expect(plannedMs).toBe(1002 * SECOND);
    const evicted = rig.decisions.flatMap((one) => (one.kind === 'evict' ? [one.workload] : []));
    const got = rig.stateOf('home') === 'running' ? `home for ${evicted.join(' ')}` : 'home waits';
    expect(got).toBe(want);
    const kept = rig.view().workloads.find(({ id }) => id === 'big')?.plannedStartMs ?? 0;
    if (wish.priority === undefined && wish.vip === undefined) expect(kept).toBeLessThanOrEqual(1002 * SECOND);
  });

  it('is tried again when the plan is gone', () => {
    const { rig } = play({ estimate: 5000 });
    rig.tell({ kind: 'workload-cancelled', workload: 'big' });
    rig.settle();
    expect(rig.stateOf('home')).toBe('running');
    expect(rig.stateOf('visit')).toBe('pending');
  });

  it('is explained as it is judged', () => {
    const { rig } = play({ estimate: 5000 });
    const verdict = rig.scheduler.explain('home', rig.nowMs);
    expect(verdict).toMatchObject({ kind: 'pending', change: [{ kind: 'raise-priority', to: 6 }] });
  });
});
