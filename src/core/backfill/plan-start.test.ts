import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aNode, aWorkload } from '../../../test/support/fleet-builders.js';

const SECOND = 1000;

interface Work {
  readonly gpus: number;
  readonly seconds: number;
}

const anyWork = fc.record({ gpus: fc.integer({ min: 1, max: 4 }), seconds: fc.integer({ min: 1, max: 9 }) });
const anyRunning = fc.array(anyWork, { maxLength: 6 });
const anyNodes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });

/** Nodes with so many devices, and what runs there. */
function play(devices: readonly number[], running: readonly Work[]): CoreRig {
  const rig = CoreRig.withRacks({});
  for (const [index, count] of devices.entries()) {
    rig.tell({ kind: 'node-seen', node: aNode(`n${index}`, { devices: count }) });
  }
  for (const [index, { gpus, seconds }] of running.entries()) {
    rig.submit(aWorkload(`r${index}`, { submittedAtMs: index, estimateMs: seconds * SECOND, pods: { gpus } }));
  }
  rig.settle();
  return rig;
}

/** By trying each second: the first at which one node has so many devices free. */
function earliestByTrial(
  rig: CoreRig,
  { devices, running }: { readonly devices: readonly number[]; readonly running: readonly Work[] },
  gpus: number,
): number {
  for (let second = 0; second < 20; second++) {
    const isFree = devices.some((count, node) => {
      const used = running.reduce((sum, work, index) => {
        const isThere = rig.startOf(`r${index}`)?.seats.some((seat) => seat.node === `n${node}`) ?? false;
        return sum + (isThere && work.seconds > second ? work.gpus : 0);
      }, 0);
      return count - used >= gpus;
    });
    if (isFree) return second;
  }
  return Infinity;
}

function planOf(rig: CoreRig, id: string): number | undefined {
  const plannedStartMs = rig.view().workloads.find((workload) => workload.id === id)?.plannedStartMs;
  return plannedStartMs === undefined ? undefined : plannedStartMs / SECOND;
}

describe('the plan of a start', () => {
  it('is the earliest time that trying every second finds', () => {
    fc.assert(
      fc.property(anyNodes, anyRunning, anyWork, (devices, wanted, big) => {
        const fitting = wanted.filter(({ gpus }) => devices.some((count) => count >= gpus));
        const rig = play(devices, fitting);
        const running = fitting.filter((_work, index) => rig.startOf(`r${index}`) !== undefined);
        fc.pre(running.length === fitting.length);
        rig.submit(aWorkload('b0', { submittedAtMs: 99, estimateMs: big.seconds * SECOND, pods: { gpus: big.gpus } }));
        rig.settle();
        const want = earliestByTrial(rig, { devices, running }, big.gpus);
        if (rig.startOf('b0') !== undefined) expect(want).toBe(0);
        else expect(planOf(rig, 'b0') ?? Infinity).toBe(want);
      }),
      lawCases(100),
    );
  });

  it('never moves later while ends come as expected, whoever is submitted after it', () => {
    fc.assert(
      fc.property(
        anyNodes,
        anyRunning,
        fc.array(anyWork, { minLength: 2, maxLength: 6 }),
        (devices, running, later) => {
          const rig = play(devices, running);
          let planned: { readonly id: string; readonly second: number } | undefined;
          for (let second = 0; second < 40; second++) {
            rig.nowMs = second * SECOND;
            for (const { id, state } of rig.view().workloads) {
              const endMs = rig.startOf(id)?.plannedEndMs ?? Infinity;
              if (state !== 'running' || endMs > rig.nowMs) continue;
              for (const pod of rig.podsOf(id)) rig.endPod(pod);
              rig.goPods(rig.podsOf(id));
            }
            const next = later[second];
            if (next !== undefined) {
              const spec = { submittedAtMs: 99 + second, estimateMs: next.seconds * SECOND, pods: { gpus: next.gpus } };
              rig.submit(aWorkload(`b${second}`, spec));
            }
            rig.settle();
            const [now] = rig.view().workloads.filter(({ plannedStartMs }) => plannedStartMs !== undefined);
            const startedMs = planned === undefined ? undefined : rig.startOf(planned.id)?.plannedEndMs;
            if (planned !== undefined && startedMs === undefined) {
              expect(planOf(rig, planned.id)).toBeLessThanOrEqual(planned.second);
            }
            if (planned !== undefined && startedMs !== undefined) expect(second).toBeLessThanOrEqual(planned.second);
            const plannedStartMs = now?.plannedStartMs;
            planned =
              now === undefined || plannedStartMs === undefined
                ? undefined
                : { id: now.id, second: plannedStartMs / SECOND };
          }
        },
      ),
      lawCases(60),
    );
  });
});
