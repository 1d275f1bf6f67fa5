import { describe, expect, it } from '@jest/globals';
import { CoreRig } from '../../../test/support/core-rig.js';
import { aFlavor, aNode, aPodSet, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { NodeSpec, PodSetSpec, SchedulerInput, TopologyRequest } from '../index.js';

/** Devices that are taken already, by node. */
type Taken = Readonly<Record<string, number>>;

interface Case {
  readonly nodes: readonly NodeSpec[];
  readonly taken?: Taken;
  /** What comes over the nodes after that. */
  readonly told?: readonly SchedulerInput[];
  readonly pods: PodSetSpec | readonly PodSetSpec[];
  readonly want: Readonly<Record<string, number>>;
}

const rack = (name: string, racks: string, devices = 4): NodeSpec => aNode(name, { rack: racks, devices });
const slices = (size: number, level: string): TopologyRequest => ({ kind: 'slice', size, level });
const REQUIRED = { kind: 'required', level: 'rack' } as const;
const PREFERS_OTHERS = { key: 'old', value: '', effect: 'PreferNoSchedule' } as const;

const cases: Record<string, Case> = {
  'takes the fullest node that fits, and leaves the empty one whole': {
    nodes: [rack('a', 'r1'), rack('b', 'r1')],
    taken: { b: 2 },
    pods: aPodSet(),
    want: { b: 1 },
  },
  'of equal room by pods, takes the node with fewer free devices': {
    nodes: [rack('a', 'r1', 3), rack('b', 'r1', 2)],
    pods: aPodSet({ gpus: 2 }),
    want: { b: 1 },
  },
  'takes the first name of equals': { nodes: [rack('b', 'r1'), rack('a', 'r1')], pods: aPodSet(), want: { a: 1 } },
  'stays on one node when one can hold it': {
    nodes: [rack('p', 'r1'), rack('q', 'r1'), rack('big', 'r2', 8)],
    pods: aPodSet({ count: 7 }),
    want: { big: 7 },
  },
  'goes to the rack that can hold it': {
    nodes: [rack('p', 'r1'), rack('q', 'r1'), rack('s', 'r2'), rack('t', 'r2')],
    taken: { p: 1, q: 2 },
    pods: aPodSet({ count: 6, topology: REQUIRED }),
    want: { s: 4, t: 2 },
  },
  'takes the fullest rack that still fits': {
    nodes: ['p', 'q', 's'].flatMap((name, index) => [rack(`${name}0`, `r${index}`), rack(`${name}1`, `r${index}`)]),
    taken: { q0: 1, q1: 1, s0: 2, s1: 2 },
    pods: aPodSet({ count: 5, topology: REQUIRED }),
    want: { q0: 3, q1: 2 },
  },
  'never relaxes a required level': {
    nodes: [rack('a', 'r1'), rack('b', 'r2')],
    pods: aPodSet({ count: 6, topology: REQUIRED }),
    want: {},
  },
  'fills the preferred rack with an elastic gang before it looks further': {
    nodes: [rack('p', 'r1'), rack('q', 'r2', 2), rack('s', 'r2', 1), rack('t', 'r2', 1)],
    pods: aPodSet({ count: 6, minCount: 4, topology: { kind: 'preferred', level: 'rack' } }),
    want: { p: 4, q: 2 },
  },
  'prefers a level that nobody has': {
    nodes: [rack('a', 'r1')],
    pods: aPodSet({ topology: { kind: 'preferred', level: 'island' } }),
    want: { a: 1 },
  },
  'relaxes a preferred level': {
    nodes: [rack('a', 'r1'), rack('b', 'r2')],
    pods: aPodSet({ count: 6, topology: { kind: 'preferred', level: 'rack' } }),
    want: { a: 4, b: 2 },
  },
  'uses few racks before few nodes': {
    nodes: [rack('d', 'r1', 2), rack('e', 'r2', 2), ...['f', 'g', 'h', 'i'].map((name) => rack(name, 'r3', 1))],
    pods: aPodSet({ count: 4 }),
    want: { f: 1, g: 1, h: 1, i: 1 },
  },
  'requires a rack, and finds none for nodes outside of racks': {
    nodes: [aNode('a', { devices: 4 })],
    pods: aPodSet({ topology: REQUIRED }),
    want: {},
  },
  'requires a level that nobody has': {
    nodes: [rack('a', 'r1')],
    pods: aPodSet({ topology: { kind: 'required', level: 'island' } }),
    want: {},
  },
  'keeps every two pods on one node, on as few nodes as it can': {
    nodes: [rack('a', 'r1', 6), rack('b', 'r1', 5), rack('c', 'r1', 4), rack('d', 'r1', 2)],
    pods: aPodSet({ count: 12, topology: slices(2, 'host') }),
    want: { a: 6, b: 4, d: 2 },
  },
  'keeps every three pods in one rack, and waits where only two fit in each': {
    nodes: [rack('a', 'r1', 2), rack('b', 'r2', 2), rack('c', 'r3', 2)],
    pods: aPodSet({ count: 6, topology: slices(3, 'rack') }),
    want: {},
  },
  'keeps every three pods in one rack, over its nodes': {
    nodes: [rack('a', 'r1', 2), rack('b', 'r1', 2), rack('c', 'r2', 2), rack('d', 'r2', 2), aNode('e')],
    pods: aPodSet({ count: 6, topology: slices(3, 'rack') }),
    want: { a: 2, b: 1, c: 2, d: 1 },
  },
  'has one rack for all slices when one can hold them': {
    nodes: [rack('a', 'r1', 2), rack('b', 'r1', 2), rack('c', 'r2', 4), rack('d', 'r2', 2)],
    pods: aPodSet({ count: 6, topology: slices(3, 'rack') }),
    want: { c: 4, d: 2 },
  },
  'puts slices on no node outside of the racks they ask for': {
    nodes: [aNode('a'), rack('b', 'r1', 2)],
    pods: aPodSet({ count: 2, topology: slices(2, 'rack') }),
    want: { b: 2 },
  },
  'grows by whole slices': {
    nodes: [rack('a', 'r1', 3), rack('b', 'r1', 3), rack('c', 'r1', 1)],
    pods: aPodSet({ count: 8, minCount: 2, topology: slices(2, 'host') }),
    want: { a: 2, b: 2 },
  },
  'finds slices of two pod sets that leave one another just enough': {
    nodes: [rack('a', 'r1', 4), rack('b', 'r1', 3)],
    pods: [aPodSet({ name: 'x', count: 4, topology: slices(2, 'host') }), aPodSet({ name: 'y', gpus: 3 })],
    want: { a: 4, b: 1 },
  },
  'gives each flavor its own devices of a node with two models, and one pod devices of one model': {
    nodes: [
      aNode('a', {
        accelerators: [
          { model: 'h100', count: 2 },
          { model: 'l4', count: 3 },
        ],
      }),
    ],
    pods: [aPodSet({ name: 'x', count: 2 }), aPodSet({ name: 'y', gpus: 3, flavors: [] })],
    want: { a: 3 },
  },
  'gives one pod devices of one entry, also where two are of one model': {
    nodes: [
      aNode('a', {
        accelerators: [
          { model: 'h100', count: 2, memoryMib: 40_960 },
          { model: 'h100', count: 2, memoryMib: 81_920 },
        ],
      }),
      rack('b', 'r1', 3),
    ],
    pods: aPodSet({ gpus: 3 }),
    want: { b: 1 },
  },
  'is atomic: one pod short means no pod at all': {
    nodes: [rack('a', 'r1'), rack('b', 'r1')],
    pods: aPodSet({ count: 3, gpus: 4 }),
    want: {},
  },
  'fills one rack with an elastic gang that must stay in it': {
    nodes: [rack('p', 'r1'), rack('q', 'r1'), rack('s', 'r2', 3), rack('t', 'r2', 3)],
    pods: aPodSet({ count: 12, minCount: 5, topology: REQUIRED }),
    want: { p: 4, q: 4 },
  },
  'grows an elastic gang past its rack when it may': {
    nodes: [rack('p', 'r1'), rack('q', 'r2')],
    pods: aPodSet({ count: 12, minCount: 5 }),
    want: { p: 4, q: 4 },
  },
  'puts pods without devices where no devices are stranded': {
    nodes: [rack('a', 'r1'), aNode('b', { devices: 0 })],
    pods: aPodSet({ gpus: 0 }),
    want: { b: 1 },
  },
  'avoids a node that prefers others, but takes it rather than none': {
    nodes: [aNode('a', { devices: 1, taints: [PREFERS_OTHERS] }), aNode('b', { devices: 4 })],
    pods: aPodSet(),
    want: { b: 1 },
  },
  'spreads a gang rather than take a node that prefers others': {
    nodes: [
      aNode('a', { devices: 2, taints: [PREFERS_OTHERS] }),
      aNode('b', { devices: 1 }),
      aNode('c', { devices: 1 }),
    ],
    pods: aPodSet({ count: 2 }),
    want: { b: 1, c: 1 },
  },
  'takes a node that prefers others when the rest is too small': {
    nodes: [
      aNode('a', { devices: 2, taints: [PREFERS_OTHERS] }),
      aNode('b', { devices: 1 }),
      aNode('c', { devices: 1 }),
    ],
    pods: aPodSet({ count: 4 }),
    want: { a: 2, b: 1, c: 1 },
  },
  'puts nothing on a node over its capacity, not even pods that ask for none of what is overdrawn': {
    nodes: [aNode('a', { cpu: 4 }), aNode('b', { cpu: 4 })],
    taken: { a: 1, b: 1 },
    told: [
      { kind: 'foreign-use-seen', node: 'a', use: { cpuMilli: 3500, memoryMib: 0, pods: 1 }, slots: [] },
      { kind: 'foreign-use-seen', node: 'b', use: { cpuMilli: 0, memoryMib: 1_047_553, pods: 1 }, slots: [] },
    ],
    pods: aPodSet({ cpu: 0, memoryMib: 0 }),
    want: {},
  },
  'fills a node to the last of its CPU and memory': {
    nodes: [aNode('a', { cpu: 4, memory: 4096 })],
    pods: aPodSet({ count: 4 }),
    want: { a: 4 },
  },
  'places several pod sets in one rack when it holds them': {
    nodes: [rack('a', 'r1'), rack('b', 'r2'), rack('c', 'r2')],
    pods: [aPodSet({ name: 'x', gpus: 3 }), aPodSet({ name: 'y', gpus: 2, count: 2 })],
    want: { b: 1, c: 2 },
  },
  'finds the only way to put two pod sets': {
    nodes: [aNode('a', { devices: 4 }), aNode('b', { devices: 3 })],
    pods: [aPodSet({ name: 'x', count: 2, gpus: 2 }), aPodSet({ name: 'y', gpus: 3 })],
    want: { a: 2, b: 1 },
  },
};

describe('placement', () => {
  it.each(Object.entries(cases))('%s', (_title, { nodes, taken = {}, told = [], pods, want }) => {
    const rig = rigOf(nodes, taken);
    rig.tell(...told);
    const podSets = 'length' in pods ? pods : [pods];
    rig.submit(aWorkload('gang', { podSets, submittedAtMs: 5 }));
    rig.settle();
    expect(rig.nodesOf('gang')).toEqual(want);
  });

  it('breaks no whole device for a fraction while a broken one has room, and takes the fullest', () => {
    const rig = rigOf([aNode('a', { devices: 3 })], {});
    for (const [id, milli] of Object.entries({ one: 300, two: 800, three: 200, four: 600, five: 1000 })) {
      rig.submit(aWorkload(id, { podSets: [aPodSet({ milli })] }));
      rig.settle();
    }
    const slots = ['one', 'two', 'three', 'four', 'five'].map((id) => rig.startOf(id)?.seats[0]?.slots[0]?.slot);
    expect(slots).toEqual([0, 1, 1, 0, 2]);
  });

  it('cuts devices at legal places, none while a cut one has room, and keeps cut, shared and whole ones apart', () => {
    const profiles = [
      { name: '1g', eighths: 1, positions: [0, 1, 2, 3, 4, 5, 6] },
      { name: '3g', eighths: 4, positions: [0, 4] },
    ];
    const rig = rigOf([aNode('a', { accelerators: [{ model: 'h100', count: 4, profiles }] })], {});
    const cut = (profile: string, milli: number) => aPodSet({ devices: { count: 1, milli, profile } });
    const wishes: readonly (readonly [string, PodSetSpec])[] = [
      ['one', cut('1g', 125)],
      ['two', cut('3g', 500)],
      ['three', cut('3g', 500)],
      ['half', aPodSet({ milli: 500 })],
      ['four', cut('1g', 125)],
      ['five', cut('3g', 500)],
      ['six', cut('3g', 500)],
      ['seven', cut('3g', 500)],
      ['whole', aPodSet()],
      ['other size', cut('3g', 375)],
    ];
    for (const [id, podSet] of wishes) {
      rig.submit(aWorkload(id, { podSets: [podSet] }));
      rig.settle();
    }
    const places = wishes.map(([id]) => rig.startOf(id)?.seats[0]?.slots[0]);
    expect(places.map((share) => (share === undefined ? 'waits' : `${share.slot}:${share.position ?? '-'}`))).toEqual([
      '0:0',
      '0:4',
      '1:4',
      '2:-',
      '0:1',
      '1:0',
      '3:4',
      '3:0',
      'waits',
      'waits',
    ]);
  });

  it('gives neighbouring ranks to neighbouring nodes', () => {
    const rig = rigOf([rack('b', 'r1'), rack('a', 'r1'), rack('c', 'r1', 2)], {});
    rig.submit(aWorkload('gang', { podSets: [aPodSet({ count: 10 })] }));
    rig.settle();
    expect(
      rig
        .startOf('gang')
        ?.seats.map(({ node }) => node)
        .join(''),
    ).toBe('aaaabbbbcc');
  });
});

function rigOf(nodes: readonly NodeSpec[], taken: Taken): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy() });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('lab', { h100: 1000 }) });
  for (const node of nodes) rig.tell({ kind: 'node-seen', node: { ...node, labels: { at: node.name } } });
  for (const [at, gpus] of Object.entries(taken)) {
    rig.submit(aWorkload(`old-${at}`, { podSets: [aPodSet({ gpus, nodeSelector: { at } })] }));
  }
  rig.settle();
  return rig;
}
