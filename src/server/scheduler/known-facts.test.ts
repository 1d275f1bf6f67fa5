import { describe, expect, it } from '@jest/globals';
import type { Observation } from '../../cluster/cluster.js';
import { KnownFacts } from './known-facts.js';
import type { LivePod } from './ledger.js';

const NODE = {
  name: 'node-1',
  capacity: { cpuMilli: 1000, memoryMib: 1000, pods: 10 },
  accelerators: [],
  labels: {},
  taints: [],
  topology: {},
  unschedulable: false,
};
const USE = { use: { cpuMilli: 0, memoryMib: 0, pods: 0 }, slots: [] };
const SEEN = { kind: 'node-seen', node: NODE } as const;
const HEALTHY = { kind: 'node-state-changed', node: 'node-1', state: 'healthy', cause: '' } as const;
const LOST = { kind: 'node-state-changed', node: 'node-1', state: 'lost', cause: 'it is silent' } as const;
const USED = { kind: 'foreign-use-seen', node: 'node-1', ...USE } as const;
const POD = { workload: 'w', incarnation: 1, podSet: 'pods', index: 0 };

function news(observations: readonly Observation[], pods: readonly LivePod[] = []): readonly string[] {
  const known = new KnownFacts({
    nodes: [{ spec: NODE, state: 'healthy', cause: '', unschedulable: false, foreign: USE, removed: false }],
    pods,
  });
  return observations.filter((observation) => known.isNews(observation)).map(({ kind }) => kind);
}

function aPod(state: LivePod['state']): LivePod {
  return {
    name: 'w-1-pods-0',
    seat: { pod: POD, node: 'node-1', slots: [], cpuMilli: 0, memoryMib: 0 },
    claimed: true,
    state,
  };
}

const LIFE: readonly Observation[] = [
  { kind: 'pod-bound', pod: POD },
  { kind: 'pod-started', pod: POD },
  { kind: 'pod-ended', pod: POD, outcome: 'succeeded', blame: 'workload', exitCode: 0 },
  { kind: 'pod-gone', pod: POD },
];

describe(KnownFacts.name, () => {
  it('holds no news of a node that is as the ledger has it', () => {
    expect(news([SEEN, HEALTHY, USED])).toEqual([]);
  });

  it('lets pass what is otherwise, and that it is again as before', () => {
    const changed = { ...SEEN, node: { ...NODE, unschedulable: true } };
    expect(news([changed, SEEN, LOST, HEALTHY])).toEqual(Array(2).fill(SEEN.kind).concat(Array(2).fill(HEALTHY.kind)));
  });

  it('knows nothing of a node that was removed and comes back', () => {
    const removed = { kind: 'node-removed', node: 'node-1' } as const;
    expect(news([removed, SEEN, HEALTHY, USED])).toEqual([removed, SEEN, HEALTHY, USED].map(({ kind }) => kind));
  });

  it.each([
    ['expected', LIFE],
    ['leaving', LIFE],
    ['bound', LIFE.slice(1)],
    ['started', LIFE.slice(2)],
  ] as const)('lets pass of a pod that is %s what came later', (state, later) => {
    expect(news(LIFE, [aPod(state)])).toEqual(later.map(({ kind }) => kind));
  });
});
