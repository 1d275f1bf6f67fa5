import { describe, expect, it } from '@jest/globals';
import { readScenarioFile } from './read-scenario-file.js';

const FILE = `name: a story
fleet: {nodes: [{name: n, count: 2}]}
queues:
  - {name: root}
  - {name: lab, parent: root, nominal: {gpu: 16}}
workloads:
  - {name: one, queue: lab, pods: [{name: worker, accelerators: 1}], running: {worker: {n-0: 1}}}
events:
  - {at: 5, finish: one}
expect:
  - {at: 5, running: []}
`;

function mistakesOf(text: string): readonly string[] {
  const result = readScenarioFile(text);
  return result.kind === 'valid' ? [] : result.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

describe('a scenario file', () => {
  it('holds one scenario or a list of them', () => {
    const list = `scenarios:\n  - ${FILE.trim().replaceAll('\n', '\n    ')}`;
    for (const text of [FILE, list]) {
      const result = readScenarioFile(text);
      expect(result.kind === 'valid' && result.value.map(({ name }) => name)).toEqual(['a story']);
    }
  });

  it('has defaults for all that it does not say', () => {
    const result = readScenarioFile(FILE);
    const [scenario] = result.kind === 'valid' ? result.value : [];
    expect(scenario).toMatchObject({ tags: [], stableRounds: 5, invariants: true });
    expect(scenario?.workloads[0]).toMatchObject({ kind: 'training', priority: 0, preemptible: true, startedAt: 0 });
    expect(scenario?.workloads[0]?.pods[0]).toMatchObject({ count: 1, milli: 1000, cpu: 1, memory: '1Gi' });
  });

  const wrong: Record<string, { from: string; to: string; want: string }> = {
    'a partition of a model of which none are known': {
      from: 'accelerators: 1}',
      to: 'mig: 1g.10gb}',
      want: '7 workloads.0.pods.0.mig: no partition 1g.10gb of gpu, of which no partitions are known',
    },
    'a partition that the model does not have': {
      from: 'accelerators: 1}',
      to: 'mig: 9g, model: nvidia-a100-sxm-80gb}',
      want: '7 workloads.0.pods.0.mig: no partition 9g of nvidia-a100-sxm-80gb, whose are 1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb, 7g.80gb',
    },
    'a partition of two devices': {
      from: 'accelerators: 1}',
      to: 'accelerators: 2, mig: 1g.10gb, model: nvidia-a100-sxm-80gb}',
      want: '7 workloads.0.pods.0.mig: is for pods with one accelerator',
    },
    'an unknown field': { from: 'running: []', to: 'runing: []', want: '11 expect.0.runing: is not a known field' },
    'an unknown field of an event': {
      from: 'finish: one',
      to: 'ends: one',
      want: '9 events.0.ends: is not a known field',
    },
    'two events in one': {
      from: 'finish: one',
      to: 'finish: one, cancel: one',
      want: '9 events.0.cancel: does not go with finish: an event is one thing',
    },
    'a field of another event': {
      from: 'finish: one',
      to: 'finish: one, priority: 5',
      want: '9 events.0.priority: does not go with finish',
    },
    'an event without its field': { from: 'finish: one', to: 'node: n-0', want: '9 events.0.node: needs state' },
    'an unknown workload': { from: 'finish: one', to: 'finish: two', want: '9 events.0.finish: no workload two' },
    'an unknown queue': { from: 'queue: lab', to: 'queue: lob', want: '7 workloads.0.queue: no queue lob' },
    'an unknown node': { from: 'n-0: 1', to: 'n-9: 1', want: '7 workloads.0.running.worker.n-9: no node n-9' },
    'too many running pods': {
      from: 'n-0: 1',
      to: 'n-0: 2',
      want: '7 workloads.0.running.worker: has 2 pods instead of 1',
    },
    'a parent below its child': {
      from: 'parent: root',
      to: 'parent: leaf',
      want: '5 queues.1.parent: no queue leaf above it',
    },
    'domains of a level that the fleet does not have': {
      from: 'running: []}',
      to: 'domains: {one: {rackk: 1}}}',
      want: '11 expect.0.domains.one.rackk: no level rackk; there are rack, host',
    },
    'usage of a flavor that neither nodes nor queues name': {
      from: 'running: []}',
      to: 'usage: {lab: {gpuu: 0}}}',
      want: '11 expect.0.usage.lab.gpuu: no flavor gpuu; there are gpu',
    },
    'an expectation of no time': {
      from: '{at: 5, running: []}',
      to: '{running: []}',
      want: '11 expect.0: must have either at or end',
    },
    'a minimum above the count': {
      from: 'accelerators: 1',
      to: 'minCount: 2',
      want: '7 workloads.0.pods.0.minCount: is more than count',
    },
  };
  it.each(Object.entries(wrong))('names %s and its line', (_what, { from, to, want }) => {
    expect(mistakesOf(FILE.replace(from, to))).toContain(want);
  });
});
