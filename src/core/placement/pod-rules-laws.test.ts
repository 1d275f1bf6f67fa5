import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { LabelSelector, PodAffinityTerm, PodSetSpec } from '../index.js';

const HOST = 'kubernetes.io/hostname';
const APPS = ['db', 'web'];
const anyKey = fc.constantFrom('zone', HOST);
const anySelector = fc.constantFrom<LabelSelector[]>(
  [{ key: 'app', operator: 'In', values: ['db'] }],
  [{ key: 'app', operator: 'In', values: ['web'] }],
  [{ key: 'app', operator: 'Exists' }],
);
const anyTerm = fc.record({ topologyKey: anyKey, selector: anySelector });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined, freq: 1 });

const anyRuledSet = fc
  .record({
    app: fc.constantFrom(...APPS),
    count: fc.integer({ min: 1, max: 3 }),
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

interface Standing {
  readonly name: string;
  readonly node: string;
  readonly podSet: PodSetSpec;
}

describe('the laws of rules between pods', () => {
  it('places no pod against a rule, of its own or of those that stand', () => {
    const zones = fc.array(fc.constantFrom('z1', 'z2', undefined), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(zones, fc.array(anyRuledSet, { minLength: 1, maxLength: 6 }), (nodes, podSets) => {
        const zoneOf = new Map(nodes.map((zone, index) => [`n${index}`, zone]));
        const rig = new CoreRig();
        rig.tell({ kind: 'queue-set', queue: aQueue('lab') });
        for (const [name, zone] of zoneOf) {
          rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 0, cpu: 4, labels: zone ? { zone } : {} }) });
        }
        for (const [index, podSet] of podSets.entries()) {
          rig.submit(aWorkload(`w${index}`, { podSets: [podSet] }));
          rig.settle();
          const pods = standing(rig, podSets);
          const own = pods.filter(({ name }) => name.startsWith(`w${index}/`));
          expect(violations(pods, own, zoneOf)).toEqual([]);
        }
      }),
      lawCases(60),
    );
  });
});

function standing(rig: CoreRig, podSets: readonly PodSetSpec[]): readonly Standing[] {
  return rig.scheduler.snapshot().pods.map(({ seat: { pod, node } }) => ({
    name: `${pod.workload}/${pod.index}`,
    node,
    podSet: podSets[Number(pod.workload.slice(1))] ?? aPodSet(),
  }));
}

/** By looking at every pair of pods; spread only of those that came last, since others do not ask it. */
function violations(
  pods: readonly Standing[],
  newest: readonly Standing[],
  zoneOf: ReadonlyMap<string, string | undefined>,
): readonly string[] {
  const domain = (node: string, key: string): string | undefined => (key === HOST ? node : zoneOf.get(node));
  const found: string[] = [];
  const isTogether = (a: Standing, b: Standing, { topologyKey }: PodAffinityTerm): boolean =>
    domain(a.node, topologyKey) !== undefined && domain(a.node, topologyKey) === domain(b.node, topologyKey);
  for (const a of pods) {
    for (const b of pods) {
      const [ours, theirs] = [a.podSet.hostPorts?.[0]?.port, b.podSet.hostPorts?.[0]?.port];
      if (a !== b && a.node === b.node && ours !== undefined && ours === theirs) found.push(`port ${a.name} ${b.name}`);
      for (const term of a.podSet.podAntiAffinity?.required ?? []) {
        if (a !== b && sees(term.selector, b) && isTogether(a, b, term)) found.push(`apart ${a.name} ${b.name}`);
      }
    }
    for (const term of a.podSet.podAffinity?.required ?? []) {
      if (!pods.some((b) => sees(term.selector, b) && isTogether(a, b, term))) found.push(`near ${a.name}`);
    }
  }
  for (const { name, node, podSet } of newest) {
    for (const { topologyKey, selector, maxSkew } of podSet.topologySpread ?? []) {
      const counts = new Map<string, number>();
      for (const each of zoneOf.keys()) counts.set(domain(each, topologyKey) ?? '', 0);
      counts.delete('');
      for (const pod of pods) {
        const where = domain(pod.node, topologyKey);
        if (where !== undefined && sees(selector, pod)) counts.set(where, (counts.get(where) ?? 0) + 1);
      }
      const own = counts.get(domain(node, topologyKey) ?? '');
      const isSeen = sees(selector, { podSet });
      if (own === undefined || (isSeen && own - Math.min(...counts.values()) > maxSkew)) found.push(`spread ${name}`);
    }
  }
  return found;
}

function sees(selector: LabelSelector, { podSet }: Pick<Standing, 'podSet'>): boolean {
  return selector.every(
    ({ operator, values = [] }) => operator === 'Exists' || values.includes(podSet.labels?.['app'] ?? ''),
  );
}
