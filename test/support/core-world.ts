import fc from 'fast-check';
import type {
  FlavorQuota,
  NodeSpec,
  PartitionProfile,
  PodSetSpec,
  QueueSpec,
  SchedulerInput,
  TopologyRequest,
  WorkloadSpec,
} from '../../src/core/index.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from './fleet-builders.js';

/** Random fleets, quota trees, workloads and streams of happenings for the laws of the core. */

const MODELS = ['h100', 'a100'];

export interface World {
  readonly nodes: readonly NodeSpec[];
  readonly queues: readonly QueueSpec[];
  readonly workloads: readonly WorkloadSpec[];
  /** How long a start protects; absent: as by default. */
  readonly minRuntimeMs?: number;
  /** Plans of each queue; absent: as by default. */
  readonly depth?: number;
  /** Evictions in each window; absent: as by default. */
  readonly brake?: number | undefined;
}

/** Numbers that `CoreStory` reads against the state it has then: so a story can be shortened and stays a story. */
export interface Happening {
  readonly kind: (typeof HAPPENINGS)[number];
  readonly pick: number;
  readonly more: number;
}

export const HAPPENINGS = [
  'submit',
  'submit',
  'submit',
  'submit',
  'submit',
  'submit',
  'cancel',
  'hold',
  'lift',
  'priority',
  'counts',
  'counts',
  'quota',
  'node-state',
  'node-heals',
  'node-fenced',
  'node-removed',
  'node-back',
  'node-resized',
  'device',
  'foreign',
  'bind',
  'start',
  'start-all',
  'start-all',
  'end-pod',
  'end-pod',
  'end-workload',
  'lose-pod',
  'refuse-pod',
  'refuse-eviction',
  'gone',
  'gone-all',
  'gone-all',
  'wait',
  'settle',
  'settle',
  'settle',
  'settle',
  'settle',
  'settle-and-refuse',
  'settle-and-refuse',
  'settle-later',
] as const;

/** Nothing breaks: who comes, who goes, who pushes whom away. */
const CALM = [
  'submit',
  'submit',
  'submit',
  'priority',
  'quota',
  'start-all',
  'end-workload',
  'gone-all',
  'wait',
  'settle',
  'settle',
  'settle',
  'settle-and-refuse',
  'settle-and-refuse',
  'settle-later',
] as const;

/** Most are short, for what goes wrong mostly does so soon. Every second story begins with some that run already. */
export const anyHappenings = fc.oneof(
  { weight: 3, arbitrary: happeningsOf(HAPPENINGS, 24) },
  { weight: 1, arbitrary: happeningsOf(HAPPENINGS, 60) },
);

function happeningsOf(kinds: readonly Happening['kind'][], maxLength: number): fc.Arbitrary<readonly Happening[]> {
  const anyOne = fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(1000), more: fc.nat(1000) });
  return fc
    .tuple(fc.constantFrom(0, 0, 4, 8), fc.array(anyOne, { minLength: 1, maxLength, size: 'max' }))
    .map(([running, happenings]) => (running === 0 ? happenings : [...begin(running), ...happenings]));
}

function begin(running: number): readonly Happening[] {
  const kinds = [...Array<'submit'>(running).fill('submit'), 'settle', 'start-all'] as const;
  return kinds.map((kind) => ({ kind, pick: 0, more: 0 }));
}

const anyNode = fc.record({
  model: fc.constantFrom('h100', 'h100', 'h100', 'a100'),
  devices: fc.constantFrom(0, 1, 2, 4, 4, 4),
  besides: fc.constantFrom(0, 0, 0, 0, 1, 2),
  zone: fc.constantFrom(undefined, 'z1', 'z2'),
  rack: fc.constantFrom(undefined, 'r1', 'r1', 'r2'),
  cpu: fc.constantFrom(4, 8),
  label: fc.boolean(),
  taint: fc.constantFrom(undefined, undefined, undefined, 'NoSchedule' as const, 'PreferNoSchedule' as const),
});

/** Of an H100. */
const PROFILES: readonly PartitionProfile[] = [
  { name: '1g', eighths: 1, positions: [0, 1, 2, 3, 4, 5, 6] },
  { name: '2g', eighths: 2, positions: [0, 2, 4] },
  { name: '3g', eighths: 4, positions: [0, 4] },
  { name: '7g', eighths: 8, positions: [0] },
];

export const anyNodes = fc.array(anyNode, { minLength: 1, maxLength: 6, size: 'max' }).map((wishes) =>
  wishes.map(({ model, devices, besides, zone, rack, cpu, label, taint }, index) =>
    aNode(`n${index}`, {
      accelerators: [
        { model, count: devices, ...(model === 'h100' ? { profiles: PROFILES } : {}) },
        { model: 'a100', count: besides },
      ].filter(({ count }) => count > 0),
      cpu,
      memory: 16_384,
      ...(zone === undefined ? {} : { zone }),
      ...(rack === undefined ? {} : { rack }),
      labels: label ? { pool: 'train' } : {},
      taints: taint === undefined ? [] : [{ key: 'team', value: 'x', effect: taint }],
    }),
  ),
);

const anyDevices = fc.constantFrom(0, 1, 2, 4, 8, 8);
const anyLimit = fc.option(fc.constantFrom(0, 1, 2, 4), { nil: undefined });

const anyQuota = fc
  .record({ nominal: anyDevices, borrow: anyLimit, lend: anyLimit })
  .map(({ nominal, borrow, lend }): FlavorQuota => ({
    nominal: nominal * 1000,
    ...(borrow === undefined ? {} : { borrowingLimit: borrow * 1000 }),
    ...(lend === undefined ? {} : { lendingLimit: lend * 1000 }),
  }));

export const LEAVES = ['lab', 'ops', 'dev'];

/** root ← team ← lab, dev; root ← ops: with and without quota of their own. */
export const anyQueues = fc
  .record({
    root: fc.option(anyQuota, { nil: undefined }),
    team: fc.option(anyQuota, { nil: undefined }),
    lab: anyQuota,
    dev: anyQuota,
    ops: anyQuota,
    isA100Managed: fc.boolean(),
    cpu: fc.boolean(),
    reclaim: fc.constantFrom('any' as const, 'any' as const, 'lowerPriority' as const, 'never' as const),
    withinQueue: fc.constantFrom('lowerPriority' as const, 'lowerPriority' as const, 'never' as const),
  })
  .map(({ root, team, lab, dev, ops, isA100Managed, cpu, ...rights }): readonly QueueSpec[] => {
    const quotas = (h100: FlavorQuota | undefined) => ({
      ...(h100 === undefined ? {} : { h100 }),
      ...(isA100Managed && h100 !== undefined ? { a100: h100 } : {}),
      ...(cpu && h100 !== undefined ? { cpu: { nominal: 6000 } } : {}),
    });
    return [
      aQueue('root', { quotas: quotas(root) }),
      aQueue('team', { parent: 'root', quotas: quotas(team) }),
      aQueue('lab', { parent: 'team', quotas: quotas(lab), ...rights }),
      aQueue('dev', { parent: 'team', quotas: quotas(dev) }),
      aQueue('ops', { parent: 'root', quotas: quotas(ops), ...rights }),
    ];
  });

const anyTopology = fc.constantFrom<(TopologyRequest | undefined)[]>(
  undefined,
  undefined,
  { kind: 'required', level: 'rack' },
  { kind: 'required', level: 'zone' },
  { kind: 'required', level: 'host' },
  { kind: 'preferred', level: 'rack' },
  { kind: 'slice', level: 'rack', size: 2 },
  { kind: 'slice', level: 'host', size: 2 },
);

const SEES_DB = [{ key: 'app', operator: 'In' as const, values: ['db'] }];
const BY_HOST = { topologyKey: 'kubernetes.io/hostname', selector: SEES_DB };

/** Rules that look beyond the node; most pods have none. */
const anyRules = fc.constantFrom<Partial<PodSetSpec>[]>(
  {},
  {},
  {},
  {},
  {},
  { labels: { app: 'db' } },
  { hostPorts: [{ port: 80 }] },
  { labels: { app: 'db' }, podAntiAffinity: { required: [BY_HOST] } },
  { podAffinity: { required: [BY_HOST] } },
  { labels: { app: 'db' }, topologySpread: [{ ...BY_HOST, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }] },
);

const anyPodSet = fc
  .record({
    count: fc.constantFrom(1, 1, 2, 3, 4),
    slack: fc.integer({ min: 0, max: 2 }),
    gpus: fc.constantFrom(0, 1, 1, 2, 4),
    milli: fc.constantFrom(1000, 1000, 500, 300),
    profile: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, ...PROFILES),
    flavors: fc.constantFrom(['h100'], ['h100'], ['a100'], ['h100', 'a100'], []),
    cpu: fc.constantFrom(0, 1, 2),
    selects: fc.constantFrom(false, false, false, false, false, true),
    tolerates: fc.boolean(),
    topology: anyTopology,
    rules: anyRules,
    life: fc.constantFrom<Pick<PodSetSpec, 'start' | 'onLoss'>[]>(
      { start: 'together', onLoss: 'restart-all' },
      { start: 'together', onLoss: 'restart-all' },
      { start: 'together', onLoss: 'replace' },
      { start: 'each', onLoss: 'replace' },
    ),
  })
  .map(
    ({ count, slack, gpus, milli, profile, flavors, cpu, selects, tolerates, topology, life, rules }): PodSetSpec => {
      const isFraction = milli < 1000 && gpus > 0;
      const size = topology?.kind === 'slice' ? topology.size : 1;
      return aPodSet({
        count: (count + slack) * size,
        minCount: count * size,
        gpus: isFraction ? 1 : gpus,
        milli,
        flavors: gpus === 0 ? (cpu > 0 ? ['cpu'] : []) : flavors,
        cpu,
        nodeSelector: selects ? { pool: 'train' } : {},
        ...life,
        ...rules,
        tolerations: tolerates ? [{ key: 'team', operator: 'Exists' }] : [],
        ...(topology === undefined ? {} : { topology }),
        ...(profile === undefined || gpus === 0
          ? {}
          : { devices: { count: 1, milli: profile.eighths * 125, profile: profile.name } }),
      });
    },
  );

const anyTime = fc.constantFrom(undefined, 800, 2000, 5000, 100_000);

export const anyWorkloadSpec = fc
  .record({
    queue: fc.constantFrom(...LEAVES),
    priority: fc.constantFrom(0, 0, 1, 5),
    preemptible: fc.constantFrom(true, true, true, false),
    submittedAtMs: fc.nat(3),
    podSets: fc.oneof(fc.tuple(anyPodSet), fc.tuple(anyPodSet), fc.tuple(anyPodSet, anyPodSet)),
    maxRetries: fc.nat(2),
    estimateMs: anyTime,
    limitMs: fc.oneof(fc.constant(undefined), fc.constant(undefined), anyTime),
  })
  .map(({ podSets, estimateMs, limitMs, ...rest }) => ({
    ...rest,
    ...(estimateMs === undefined ? {} : { estimateMs }),
    ...(limitMs === undefined ? {} : { limitMs }),
    podSets: podSets.map((podSet, index): PodSetSpec => ({ ...podSet, name: `set${index}` })),
  }));

export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    nodes: anyNodes,
    queues: anyQueues,
    workloads: fc.array(anyWorkloadSpec, { minLength: 1, maxLength: 12, size: 'max' }),
    minRuntimeMs: fc.constantFrom(0, 0, 1000, 300_000),
    depth: fc.constantFrom(0, 1, 1, 3),
    hostsPerSlice: fc.constantFrom(0, 0, 0, 2, 3),
    brake: fc.constantFrom(undefined, undefined, 1, 2),
  })
  .map(({ nodes, workloads, hostsPerSlice, ...rest }) => ({
    ...rest,
    nodes: hostsPerSlice === 0 ? nodes : inSlices(nodes, hostsPerSlice),
    workloads: workloads.map((spec, index) => aWorkload(`w${index}`, spec)),
  }));

/** All want the same few devices and may be taken from at once, later ones mostly from earlier ones: most starts evict. */
function crowded(world: World): World {
  const specs = [...world.workloads, ...world.workloads];
  return {
    ...world,
    nodes: world.nodes
      .slice(0, 3)
      .map(({ name }) => aNode(name, { accelerators: [{ model: 'h100', count: 4, profiles: PROFILES }] })),
    queues: world.queues.map((queue): QueueSpec => {
      const nominal = queue.parent === undefined ? 8000 : (queue.quotas['h100']?.nominal ?? 0);
      return { ...queue, quotas: { h100: { nominal } }, reclaim: 'any', withinQueue: 'lowerPriority' };
    }),
    workloads: specs.map(({ limitMs: _limit, podSets, ...spec }, index) => ({
      ...spec,
      id: `w${index}`,
      name: `w${index}`,
      preemptible: true,
      priority: spec.priority + Math.floor(index / 3),
      podSets: podSets.slice(0, 1).map(({ count, minCount, devices, topology, onLoss }): PodSetSpec => {
        const least = Math.min(2, minCount);
        const gpus = Math.min(2, devices?.count ?? 1);
        const plain = aPodSet({ name: 'set0', minCount: least, count: Math.min(least + 1, count), gpus, onLoss });
        if (devices?.profile !== undefined) return { ...plain, devices };
        if (topology?.kind !== 'slice') return plain;
        return { ...plain, minCount: 2, count: count > minCount ? 4 : 2, topology: { ...topology, level: 'host' } };
      }),
    })),
    minRuntimeMs: 0,
  };
}

export interface Story {
  readonly world: World;
  readonly happenings: readonly Happening[];
}

/** Of all kinds, and every fourth about who pushes whom away. */
export const anyStory: fc.Arbitrary<Story> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ world: anyWorld, happenings: anyHappenings }) },
  { weight: 1, arbitrary: fc.record({ world: anyWorld.map(crowded), happenings: happeningsOf(CALM, 30) }) },
);

/** So many nodes after one another are the hosts of a slice, and stand where the first does; the last may be fewer. */
function inSlices(nodes: readonly NodeSpec[], hosts: number): readonly NodeSpec[] {
  return nodes.map((node, index) => {
    const slice = Math.floor(index / hosts);
    return { ...node, topology: { ...nodes[slice * hosts]?.topology, slice: `s${slice}` } };
  });
}

const anyNodeName = fc.constantFrom('n0', 'n0', 'n1', 'n2', 'n9');
const anyQueueName = fc.constantFrom('root', 'team', 'lab', 'dev', 'ops', 'nowhere');
const anyPod = fc.record({
  workload: fc.constantFrom('w0', 'w0', 'w1', 'w2', 'w99'),
  incarnation: fc.constantFrom(0, 1, 1, 1, 2),
  podSet: fc.constantFrom('set0', 'set0', 'set1', 'other'),
  index: fc.nat(3),
});
const anySeat = fc.record({
  pod: anyPod,
  node: anyNodeName,
  slots: fc.uniqueArray(fc.record({ slot: fc.nat(6), milli: fc.constantFrom(1000, 500) }), {
    maxLength: 2,
    selector: ({ slot }) => slot,
  }),
  cpuMilli: fc.constantFrom(0, 1000, 9000),
  memoryMib: fc.constantFrom(0, 1024),
});
const anyEnd = fc.record({
  outcome: fc.constantFrom('succeeded', 'failed', 'evicted', 'deleted', 'lost'),
  blame: fc.constantFrom('workload', 'node', 'scheduler'),
  exitCode: fc.constantFrom(0, 1, 64, 75, 255),
});
const is = <Kind extends string>(kind: Kind) => fc.constant(kind);

/** Inputs that need not fit anything, and settles between them: nobody promises that observations make sense. */
export const anyNoise: fc.Arbitrary<readonly (SchedulerInput | { readonly kind: 'decide' })[]> = fc.array(
  fc.oneof(
    fc.record({ kind: is('decide') }),
    fc.record({ kind: is('decide') }),
    fc.record({ kind: is('set-committed'), set: fc.nat(12) }),
    fc.record({ kind: is('set-committed'), set: fc.nat(12) }),
    fc.record({
      kind: is('set-refused'),
      set: fc.nat(12),
      why: fc.constantFrom('epoch', 'quota', 'slot', 'node-state', 'workload-state'),
      at: fc.oneof(anyNodeName, anyQueueName),
    }),
    fc.record({
      kind: is('workload-submitted'),
      workload: fc
        .record({ spec: anyWorkloadSpec, id: fc.nat(3), incarnation: fc.nat(1), ending: fc.constantFrom('fail', 'no') })
        .map(({ spec, id, ending, incarnation }) =>
          aWorkload(`w${id}`, { ...spec, incarnation, ...(ending === 'fail' ? { ending } : {}) }),
        ),
    }),
    fc.record({ kind: is('workload-cancelled'), workload: fc.constantFrom('w0', 'w1', 'w99') }),
    fc.record({
      kind: is('workload-changed'),
      workload: fc.constantFrom('w0', 'w1', 'w99'),
      change: fc.record({
        hold: fc.boolean(),
        priority: fc.nat(2),
        counts: fc.dictionary(
          fc.constantFrom('set0', 'set1', 'other'),
          fc.record({ count: fc.nat(3), minCount: fc.nat(3) }),
          { maxKeys: 2 },
        ),
      }),
    }),
    fc.record({ kind: is('queue-removed'), queue: anyQueueName }),
    anyQueues.chain((queues) => fc.record({ kind: is('queue-set'), queue: fc.constantFrom(...queues) })),
    fc.record({ kind: is('flavor-removed'), flavor: fc.constantFrom('h100', 'cpu', 'none') }),
    fc.record({ kind: is('flavor-set'), flavor: fc.constantFrom(aFlavor('h100'), aFlavor('h100', { model: 'a100' })) }),
    anyNodes.chain((nodes) => fc.record({ kind: is('node-seen'), node: fc.constantFrom(...nodes) })),
    fc.record({ kind: fc.constantFrom('node-removed', 'node-fenced'), node: anyNodeName }),
    fc.record({
      kind: is('node-state-changed'),
      node: anyNodeName,
      state: fc.constantFrom('healthy', 'suspect', 'draining', 'lost', 'retired'),
      cause: is('noise'),
    }),
    fc.record({
      kind: is('device-state-changed'),
      node: anyNodeName,
      slot: fc.nat(9),
      state: fc.constantFrom('healthy', 'suspect', 'failed'),
    }),
    fc.record({
      kind: is('foreign-use-seen'),
      node: anyNodeName,
      use: fc.record({ cpuMilli: fc.constantFrom(0, 9000), memoryMib: fc.nat(9), pods: fc.nat(2) }),
      slots: fc.array(fc.nat(9), { maxLength: 2 }),
    }),
    fc.record({ kind: fc.constantFrom('pod-bound', 'pod-started', 'pod-gone'), pod: anyPod }),
    fc.record({
      kind: is('pod-refused'),
      pod: anyPod,
      why: is('noise'),
      retry: fc.constantFrom('elsewhere', 'here', 'never'),
    }),
    fc.record({ end: anyEnd, pod: anyPod }).map(({ end, pod }) => ({ kind: 'pod-ended', pod, ...end }) as const),
    fc.record({
      kind: is('pod-adopted'),
      seat: anySeat,
      state: fc.constantFrom('expected', 'bound', 'started', 'leaving'),
      waitsFor: fc.array(anyPod, { maxLength: 2 }),
    }),
    fc.record({
      kind: is('checkpoint-saved'),
      workload: fc.constantFrom('w0', 'w99'),
      incarnation: fc.nat(2),
      savedAtMs: fc.nat(9),
    }),
  ),
  { minLength: 1, maxLength: 80, size: 'max' },
);

/** What a core is told of a world before anything happens. */
export function inputsOf({
  nodes,
  queues,
  minRuntimeMs,
  depth,
  brake,
}: Pick<World, 'nodes' | 'queues' | 'minRuntimeMs' | 'depth' | 'brake'>): readonly SchedulerInput[] {
  const { preemption, backfill } = aPolicy();
  const isSliced = nodes.some(({ topology }) => 'slice' in topology);
  return [
    {
      kind: 'policy-set',
      policy: aPolicy({
        topologyLevels: ['zone', 'rack', ...(isSliced ? ['slice'] : []), 'host'],
        backfill: { ...backfill, depth: depth ?? backfill.depth },
        preemption: {
          ...preemption,
          minRuntimeMs: minRuntimeMs ?? preemption.minRuntimeMs,
          brake: brake === undefined ? preemption.brake : { ...preemption.brake, evictions: brake },
        },
      }),
    },
    ...MODELS.map((model): SchedulerInput => ({ kind: 'flavor-set', flavor: aFlavor(model) })),
    { kind: 'flavor-set', flavor: { name: 'cpu', nodeLabels: {} } },
    ...queues.map((queue): SchedulerInput => ({ kind: 'queue-set', queue })),
    ...nodes.map((node): SchedulerInput => ({ kind: 'node-seen', node })),
  ];
}
