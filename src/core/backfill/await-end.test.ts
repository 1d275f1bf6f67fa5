import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import { DEFAULT_POLICY } from '../index.js';

const SECOND = 1000;

/** Nodes with so many devices, and quota for so many. */
function rigOf(nodes: Readonly<Record<string, number>>, quota: number): CoreRig {
  const rig = new CoreRig();
  const backfill = { ...DEFAULT_POLICY.backfill, depth: 2 };
  rig.tell({ kind: 'policy-set', policy: aPolicy({ backfill }) });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: quota }) });
  for (const [name, devices] of Object.entries(nodes)) rig.tell({ kind: 'node-seen', node: aNode(name, { devices }) });
  return rig;
}

interface Wish {
  readonly gpus: number;
  readonly seconds: number;
  readonly count?: number;
}

/** Submits one that is expected to take so many seconds. */
function come(rig: CoreRig, id: string, { gpus, seconds, count = 1 }: Wish): void {
  const pods = { gpus, count, minCount: 1 };
  rig.submit(aWorkload(id, { pods, estimateMs: seconds * SECOND, submittedAtMs: rig.decisions.length }));
  rig.settle();
}

function end(rig: CoreRig, id: string, second: number): void {
  rig.nowMs = second * SECOND;
  for (const pod of rig.podsOf(id)) rig.endPod(pod);
  rig.goPods(rig.podsOf(id));
  rig.settle();
}

function planOf(rig: CoreRig, id: string): number | undefined {
  const plannedStartMs = rig.view().workloads.find((workload) => workload.id === id)?.plannedStartMs;
  return plannedStartMs === undefined ? undefined : plannedStartMs / SECOND;
}

/** `big` is planned; times in seconds. */
const cases: Record<string, { play: () => CoreRig; planned: number; expectedEnd: number; later: number }> = {
  'who slipped ahead onto its node': {
    play: () => {
      const rig = rigOf({ n: 8 }, 8);
      come(rig, 'now', { gpus: 4, seconds: 1000 });
      come(rig, 'big', { gpus: 8, seconds: 500 });
      come(rig, 'short', { gpus: 4, seconds: 950 });
      return rig;
    },
    planned: 1000,
    expectedEnd: 950,
    later: 1045,
  },
  'who slipped ahead on its quota': {
    play: () => {
      const rig = rigOf({ a: 4, b: 8, c: 4 }, 8);
      come(rig, 'now', { gpus: 4, seconds: 1000 });
      come(rig, 'big', { gpus: 8, seconds: 500 });
      come(rig, 'short', { gpus: 4, seconds: 950 });
      expect(rig.nodesOf('short')).not.toHaveProperty('b');
      return rig;
    },
    planned: 1000,
    expectedEnd: 950,
    later: 1045,
  },
  'who was planned before it, and started': {
    play: () => {
      const rig = rigOf({ n: 8 }, 8);
      come(rig, 'now', { gpus: 4, seconds: 100 });
      come(rig, 'other', { gpus: 4, seconds: 1000 });
      come(rig, 'first', { gpus: 4, seconds: 850 });
      come(rig, 'big', { gpus: 8, seconds: 500 });
      end(rig, 'now', 100);
      return rig;
    },
    planned: 1000,
    expectedEnd: 950,
    later: 1035,
  },
  'who grew onto its node': {
    play: () => {
      const rig = rigOf({ m: 4, n: 8 }, 24);
      come(rig, 'soon', { gpus: 5, seconds: 100 });
      come(rig, 'now', { gpus: 3, seconds: 1000 });
      come(rig, 'grows', { gpus: 4, seconds: 950, count: 2 });
      come(rig, 'big', { gpus: 8, seconds: 500 });
      expect(rig.nodesOf('grows')).toEqual({ m: 1 });
      end(rig, 'soon', 100);
      return rig;
      return rig;
    },
    planned: 1000,
    expectedEnd: 950,
    later: 1045,
  },
};

describe('a plan', () => {
  it.each(Object.entries(cases))('is looked at when the end is late of %s', (_title, story) => {
    const rig = story.play();
    expect(planOf(rig, 'big')).toBe(story.planned);
    expect(rig.decide().wakeAtMs).toBe(story.expectedEnd * SECOND);
    rig.nowMs = story.expectedEnd * SECOND;
    rig.settle();
    expect(planOf(rig, 'big')).toBe(story.later);
  });
});
