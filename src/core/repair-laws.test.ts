import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import type { CoreRig } from '../../test/support/core-rig.js';
import { setsOf } from '../../test/support/core-rig.js';
import { anyQueues } from '../../test/support/core-world.js';
import { aWorkload } from '../../test/support/fleet-builders.js';
import { faultOfRepair } from '../../test/support/naive-repair.js';
import { anyOrder, anyPlainNodes, anyPlainWorkload, plainRig, startedIn } from '../../test/support/plain-world.js';
import type { Decision, NodeSpec, PodRef, QueueSpec } from './index.js';

/** What befalls a node, or the first pod on it: with `pick` of those that there are. */
const anyLoss = fc.record({ kind: fc.constantFrom('lost', 'lost', 'removed', 'pod-gone'), pick: fc.nat(5) });

describe('repair, against counting', () => {
  it('comes before all that is new, keeps the seats that it can, and fails only where there is no place or quota', () => {
    let repaired = 0;
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          tree: anyQueues,
          early: fc.array(anyPlainWorkload, { minLength: 1, maxLength: 8 }),
          late: fc.array(anyPlainWorkload, { maxLength: 4 }),
          losses: fc.array(anyLoss, { minLength: 1, maxLength: 3 }),
          order: anyOrder,
        }),
        ({ nodes, tree, early, late, losses, order }) => {
          const queues = tree.map((queue): QueueSpec => ({
            ...queue,
            weight: 1,
            reclaim: 'never',
            withinQueue: 'never',
          }));
          const rig = plainRig({ nodes, queues }, order);
          const workloads = [...early, ...late].map((spec, index) => aWorkload(`w${index}`, spec));
          rig.submit(...workloads.slice(0, early.length));
          const running = startedIn(rig.settle(), workloads);
          rig.submit(...workloads.slice(early.length));
          const lost = losses.flatMap(({ kind, pick }) => lose(rig, { node: nodes[pick % nodes.length], kind }));
          const ends = commit(rig, rig.decide().decisions);
          const evicted = running.filter(({ spec }) => ends.some(({ workload }) => workload === spec.id));
          if (evicted.length === 0) return;
          expect(ends.map(({ kind }) => kind)).toEqual(ends.map(() => 'evict'));
          const starts = startedIn(rig.decide().decisions, workloads);
          const before = { order, nodes, queues, running, pending: [] };
          expect(faultOfRepair(before, { evicted, lost: new Set(lost), starts })).toBeUndefined();
          repaired += starts.filter(({ spec }) => evicted.some((one) => one.spec === spec)).length;
        },
      ),
      lawCases(120),
    );
    expect(repaired).toBeGreaterThan(0);
  });
});

/** Names of the node, when it takes no more work, or of the pod that has gone. */
function lose(
  rig: CoreRig,
  { node, kind }: { readonly node: NodeSpec | undefined; readonly kind: 'lost' | 'removed' | 'pod-gone' },
): readonly string[] {
  if (node === undefined) return [];
  if (kind !== 'pod-gone') {
    if (kind === 'lost') rig.nodeState(node.name, kind);
    else rig.tell({ kind: 'node-removed', node: node.name });
    return [node.name];
  }
  const seats = rig.decisions.flatMap((decision) => (decision.kind === 'start' ? decision.seats : []));
  const pod = seats.find((seat) => seat.node === node.name)?.pod;
  if (pod === undefined) return [];
  rig.goPods([pod]);
  return [podName(pod)];
}

function commit(rig: CoreRig, decisions: readonly Decision[]): readonly Decision[] {
  for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
  return decisions.filter(({ kind }) => kind !== 'wait' && kind !== 'plan' && kind !== 'unplan');
}

function podName({ workload, index }: PodRef): string {
  return `${workload}/${index}`;
}
