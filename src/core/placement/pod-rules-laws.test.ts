import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { StandingPod } from '../../../test/support/naive-pod-rules.js';
import { brokenRule } from '../../../test/support/naive-pod-rules.js';
import type { LabelSelector, NodeSpec, PodSetSpec } from '../index.js';
import { DEFAULT_POLICY } from '../index.js';

const APPS = ['db', 'web'];
const CPU = 4;
const anyKey = fc.constantFrom('zone', 'kubernetes.io/hostname');
const anySelector = fc.constantFrom<LabelSelector[]>(
  [{ key: 'app', operator: 'In', values: ['db'] }],
  [{ key: 'app', operator: 'In', values: ['web'] }],
  [{ key: 'app', operator: 'Exists' }],
);
const anyTerm = fc.record({ topologyKey: anyKey, selector: anySelector });
/** Every second time. */
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 2 });

const anyRuledSet = fc
  .record({
    app: fc.constantFrom(...APPS),
    count: fc.constantFrom(1, 1, 2, 3),
    cpu: fc.integer({ min: 0, max: 3 }),
    port: maybe(fc.constantFrom(80, 81)),
    near: maybe(anyTerm),
    apart: maybe(anyTerm),
    spread: maybe(fc.record({ topologyKey: anyKey, selector: anySelector, maxSkew: fc.constantFrom(1, 2) })),
  })
  .map(({ app, count, cpu, port, near, apart, spread }): PodSetSpec => {
    const rules = {
      ...(port === undefined ? {} : { hostPorts: [{ port }] }),
      ...(near === undefined ? {} : { podAffinity: { required: [near] } }),
      ...(apart === undefined ? {} : { podAntiAffinity: { required: [apart] } }),
      ...(spread === undefined ? {} : { topologySpread: [{ ...spread, whenUnsatisfiable: 'DoNotSchedule' as const }] }),
    };
    return aPodSet({ count, cpu, gpus: 0, labels: { app }, ...rules });
  });

const anyStory = fc.record({
  zones: fc.array(fc.constantFrom('z1', 'z2', undefined), { minLength: 1, maxLength: 5 }),
  steps: fc.array(
    fc.record({ podSet: anyRuledSet, cancelled: fc.option(fc.nat(5)), ended: fc.option(fc.nat(5), { freq: 2 }) }),
    { minLength: 1, maxLength: 6 },
  ),
});

describe('the laws of rules between pods', () => {
  it('places no pod against a rule, and a pod alone wherever none forbids it', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(anyStory, ({ zones, steps }) => {
        const nodes = zones.map((zone, index) =>
          aNode(`n${index}`, { devices: 0, cpu: CPU, labels: zone === undefined ? {} : { zone } }),
        );
        const rig = new CoreRig();
        // Nothing is planned: what is kept for a plan is not for others.
        rig.tell({ kind: 'policy-set', policy: aPolicy({ backfill: { ...DEFAULT_POLICY.backfill, depth: 0 } }) });
        rig.tell({ kind: 'queue-set', queue: aQueue('lab') });
        for (const node of nodes) rig.tell({ kind: 'node-seen', node });
        const setOf = (workload: string): PodSetSpec => steps[Number(workload.slice(1))]?.podSet ?? aPodSet();
        for (const [index, { podSet, cancelled, ended }] of steps.entries()) {
          if (cancelled !== null && cancelled < index) cancel(rig, `w${cancelled}`);
          // The others of its gang go on, and it keeps its claim as long.
          if (ended !== null && ended < index && setOf(`w${ended}`).count > 1) endFirstPod(rig, `w${ended}`);
          rig.submit(aWorkload(`w${index}`, { podSets: [podSet] }));
          const stood = standing(rig, setOf);
          // Nothing starts them and nothing takes them away, so that those who are cancelled are leaving.
          for (const decision of rig.settle('only-commit')) {
            if (decision.kind !== 'start') continue;
            for (const { node } of decision.seats) {
              const pod = { node, podSet: setOf(decision.workload), isLeaving: false };
              expect({ start: decision.workload, broken: brokenRule(nodes, stood, pod) }).toEqual({
                start: decision.workload,
                broken: undefined,
              });
              stood.push(pod);
            }
          }
          for (const { id, state } of rig.view().workloads) {
            if (state !== 'pending' || setOf(id).count > 1) continue;
            const open = nodes.filter(({ name }) => {
              const broken = brokenRule(nodes, stood, { node: name, podSet: setOf(id) });
              if (broken !== undefined) met.add(broken);
              return broken === undefined && hasCpu(stood, name, setOf(id));
            });
            expect({ waits: id, open: open.map(({ name }) => name) }).toEqual({ waits: id, open: [] });
          }
        }
      }),
      lawCases(60),
    );

    expect([...met].sort()).toEqual(['host port', 'pod affinity', 'pod anti-affinity', 'topology spread']);
  });
});

function cancel(rig: CoreRig, workload: string): void {
  rig.tell({ kind: 'workload-cancelled', workload });
  rig.settle('only-commit');
}

function endFirstPod(rig: CoreRig, workload: string): void {
  rig.endPod({ workload, incarnation: 1, podSet: 'worker', index: 0 });
}

function standing(rig: CoreRig, setOf: (workload: string) => PodSetSpec): StandingPod[] {
  return rig.scheduler.snapshot().pods.map(({ seat: { pod, node }, claim, end }) => ({
    node,
    podSet: setOf(pod.workload),
    isLeaving: claim !== 'granted' || end !== undefined,
  }));
}

function hasCpu(pods: readonly StandingPod[], node: NodeSpec['name'], { cpuMilli }: PodSetSpec): boolean {
  const used = pods.reduce((sum, pod) => sum + (pod.node === node ? pod.podSet.cpuMilli : 0), 0);
  return used + cpuMilli <= CPU * 1000;
}
