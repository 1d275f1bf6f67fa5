import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { NodeSpec } from '../core/index.js';
import type { Fleet } from './fleet-nodes.js';
import { readFleetFile } from './read-fleet-file.js';

function fleetOf(text: string): Fleet {
  const result = readFleetFile(text);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result.value;
}

function problemsOf(text: string): readonly string[] {
  const result = readFleetFile(text);
  if (result.kind === 'valid') throw new Error('the file is valid');
  return result.problems.map(({ line, path, message }) => `${line}: ${path} ${message}`);
}

function devices(nodes: readonly NodeSpec[], model: string): number {
  const entries = nodes.flatMap(({ accelerators }) => accelerators);
  return entries.reduce((sum, entry) => sum + (entry.model === model ? entry.count : 0), 0);
}

describe('a fleet file', () => {
  it('needs little: a name is a node of eight devices, 96 CPUs and 1 Ti', () => {
    expect(fleetOf('nodes: [{name: a}]')).toEqual({
      levels: ['rack', 'host'],
      nodes: [
        {
          name: 'a',
          capacity: { cpuMilli: 96_000, memoryMib: 1_048_576, pods: 110 },
          accelerators: [{ model: 'gpu', count: 8 }],
          labels: {},
          taints: [],
          topology: {},
          unschedulable: false,
        },
      ],
    });
  });

  it('numbers the nodes of an entry with a count, and keeps their domains, labels and taints', () => {
    const { levels, nodes } = fleetOf(`
levels: [block, rack, host]
nodes:
  - {name: a, count: 2, block: b1, rack: r1, accelerators: {model: h100, count: 4, memory: 80Gi}, cpu: 1500m,
     memory: 64Gi, labels: {pool: train}, taints: ["team=x:NoSchedule", "spot:NoExecute"]}
`);
    expect(levels).toEqual(['block', 'rack', 'host']);
    expect(nodes.map(({ name }) => name)).toEqual(['a-0', 'a-1']);
    expect(nodes[1]).toMatchObject({
      capacity: { cpuMilli: 1500, memoryMib: 65_536 },
      accelerators: [{ model: 'h100', count: 4, memoryMib: 81_920 }],
      topology: { block: 'b1', rack: 'r1' },
      labels: { pool: 'train' },
      taints: [
        { key: 'team', value: 'x', effect: 'NoSchedule' },
        { key: 'spot', value: '', effect: 'NoExecute' },
      ],
    });
  });

  it('makes the hosts of a TPU slice by the catalogue, in one domain', () => {
    const { levels, nodes } = fleetOf('nodes: [{name: t, slice: {model: google-tpu-v5p, topology: 2x2x2}}]');
    expect(levels).toEqual(['rack', 'slice', 'host']);
    expect(nodes.map(({ name, accelerators, topology }) => [name, accelerators[0]?.count, topology])).toEqual([
      ['t-0', 4, { slice: 't' }],
      ['t-1', 4, { slice: 't' }],
    ]);
  });

  it('may have nodes without devices', () => {
    expect(fleetOf('nodes: [{name: cpu, accelerators: {count: 0}}]').nodes[0]?.accelerators).toEqual([]);
  });

  it('may have several models on one node', () => {
    const { nodes } = fleetOf('nodes: [{name: a, accelerators: [{model: h100, count: 4}, {model: l4, count: 2}]}]');
    expect(nodes[0]?.accelerators).toEqual([
      { model: 'h100', count: 4 },
      { model: 'l4', count: 2 },
    ]);
  });

  it('counts equal devices together, so that one pod may have them all', () => {
    const { nodes } = fleetOf(`
nodes: [{name: a, accelerators: [{model: a100, count: 1}, {model: l4, count: 2}, {model: a100, count: 3},
  {model: a100, count: 1, memory: 40Gi}]}]`);
    expect(nodes[0]?.accelerators).toEqual([
      { model: 'a100', count: 4 },
      { model: 'l4', count: 2 },
      { model: 'a100', count: 1, memoryMib: 40_960 },
    ]);
  });

  it('knows memory and partitions of the models of the catalogue, unless the file says another memory', () => {
    const { nodes } = fleetOf(`
nodes:
  - {name: a, accelerators: {model: nvidia-a100-sxm-80gb, count: 8}}
  - {name: b, accelerators: {model: nvidia-a100-sxm-80gb, count: 8, memory: 80Gi}}
`);
    const [a, b] = nodes.flatMap(({ accelerators }) => accelerators);
    expect([a?.memoryMib, b?.memoryMib]).toEqual([76_293, 81_920]);
    expect(a?.profiles?.map(({ name }) => name)).toContain('3g.40gb');
    expect(b?.profiles).toEqual(a?.profiles);
  });

  it('shows all its mistakes at once, each with its line', () => {
    const problems = problemsOf(`levels: [rack, host]
nodes:
  - {name: a, rak: r1}
  - {name: a, rack: 1}
  - name: t
    count: 2
    slice: {model: google-tpu-v5p, topology: 3x3x3}
  - {name: u, slice: {model: abacus, topology: 2x2x2}}
`);
    expect(problems).toEqual([
      '1: levels must name the level slice: the file has slices',
      '3: nodes.0.rak is not a known field, nor a level of this file (rack)',
      '4: nodes.1.name makes node a a second time',
      expect.stringMatching(/^4: nodes.1.rack must be the name of a domain/),
      expect.stringMatching(/^6: nodes.2.count does not go with slice/),
      expect.stringMatching(/^7: nodes.2.slice.topology is no slice of google-tpu-v5p; these are: 2x2x1, 2x2x2/),
      expect.stringMatching(/^8: nodes.3.slice.model is abacus, but must be one of google-tpu-/),
    ]);
  });

  it.each([
    ['nodes: []', 'nodes'],
    ['levels: [rack]\nnodes: [{name: a}]', 'levels must end with host'],
    ['nodes: [{name: A_b}]', 'must be a DNS name'],
    ['nodes: [{name: a, cpu: many}]', 'must be a quantity'],
    [
      'nodes: [{name: a, taints: ["x=y:Sometimes"]}]',
      'is "x=y:Sometimes", but must be a taint, e.g. key=value:NoSchedule',
    ],
    ['nodes: [{name: a, count: 6000}, {name: b, count: 6000}]', 'more than 10000 nodes'],
  ])('refuses %j', (text, message) => {
    expect(problemsOf(text).join('\n')).toContain(message);
  });

  it('of the demonstration has 3 racks, 12 nodes with 96 GPUs of two models, and a small TPU slice', () => {
    const file = new URL('../../docs/examples/fleets/demo.yaml', import.meta.url);
    const { nodes } = fleetOf(readFileSync(file, 'utf8'));
    const racks = new Set(nodes.flatMap(({ topology }) => topology.rack ?? []));
    expect(racks.size).toBe(3);
    expect(nodes).toHaveLength(12 + 2);
    expect([devices(nodes, 'nvidia-h100'), devices(nodes, 'nvidia-a100')]).toEqual([64, 32]);
    expect(devices(nodes, 'google-tpu-v5p')).toBe(8);
  });
});
