import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import { hasAnyPlace, isWellPlaced } from '../../../test/support/naive-placement.js';
import type { PodSetSpec, TopologyRequest } from '../index.js';

const anyNodes = fc
  .array(fc.record({ devices: fc.integer({ min: 1, max: 5 }), rack: fc.constantFrom('r1', 'r1', 'r2', undefined) }), {
    minLength: 2,
    maxLength: 4,
  })
  .map((nodes) =>
    nodes.map(({ devices, rack }, index) => aNode(`n${index}`, { devices, ...(rack === undefined ? {} : { rack }) })),
  );

const anyTopology = fc.constantFrom<(TopologyRequest | undefined)[]>(
  undefined,
  { kind: 'required', level: 'rack' },
  { kind: 'required', level: 'host' },
  { kind: 'slice', level: 'rack', size: 2 },
  { kind: 'slice', level: 'host', size: 2 },
);

const anyPodSet = fc
  .record({ slices: fc.integer({ min: 1, max: 3 }), gpus: fc.constantFrom(1, 1, 2, 3), topology: anyTopology })
  .map(({ slices, gpus, topology }): PodSetSpec => {
    const count = topology?.kind === 'slice' ? slices * topology.size : slices;
    return aPodSet({ count, gpus, ...(topology === undefined ? {} : { topology }) });
  });

describe('the laws of placement of several pod sets together', () => {
  it('place them whenever any way exists, each as its topology asks', () => {
    fc.assert(
      fc.property(anyNodes, fc.tuple(anyPodSet, anyPodSet), (nodes, wishes) => {
        const podSets = wishes.map((podSet, index): PodSetSpec => ({ ...podSet, name: `set${index}` }));
        const rig = new CoreRig();
        rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') }, { kind: 'queue-set', queue: aQueue('lab') });
        for (const node of nodes) rig.tell({ kind: 'node-seen', node });
        rig.submit(aWorkload('gang', { podSets }));
        rig.settle();
        const start = rig.startOf('gang');
        const why = rig.scheduler.explain('gang', rig.nowMs);
        const isPartial = why.kind === 'pending' && why.searched === 'partial';
        if (!isPartial) expect({ isPlaced: start !== undefined }).toEqual({ isPlaced: hasAnyPlace(nodes, podSets) });
        for (const podSet of start === undefined ? [] : podSets) {
          const pods = new Map<string, number>();
          for (const { node, pod } of start?.seats ?? []) {
            if (pod.podSet === podSet.name) pods.set(node, (pods.get(node) ?? 0) + 1);
          }
          expect({ podSet, pods, isWell: isWellPlaced(nodes, podSet, pods) }).toEqual({ podSet, pods, isWell: true });
        }
      }),
      lawCases(100),
    );
  });
});
