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
      want: '7 workloads.0.pods.0.mig: no partition 1g.10gb of gpu, of which none are known: 1g.10gb is one of nvidia-a100-sxm-80gb, nvidia-h100-sxm-80gb',
    },
    'a partition that no model has, of a model that is only like one': {
      from: 'accelerators: 1}',
      to: 'mig: 1g.10, model: nvidia-h100}',
      want: '7 workloads.0.pods.0.mig: no partition 1g.10 of nvidia-h100, of which none are known: the models with partitions are nvidia-a100-sxm-80gb, nvidia-h100-sxm-80gb, nvidia-h200-sxm-141gb, nvidia-b200-sxm, nvidia-b300-sxm, nvidia-gb200',
    },
    'a model that neither nodes nor queues have': {
      from: 'accelerators: 1}',
      to: 'accelerators: 1, model: gqu}',
      want: '7 workloads.0.pods.0.model: no model gqu; there are gpu',
    },
    'one of several models': {
      from: 'accelerators: 1}',
      to: 'accelerators: 1, models: [gpu, gqu]}',
      want: '7 workloads.0.pods.0.models: no model gqu; there are gpu',
    },
    'quota of a model that neither nodes nor pods have': {
      from: '{gpu: 16}',
      to: '{gqu: 16}',
      want: '5 queues.1.nominal.gqu: no node and no pod has the model gqu; there are gpu',
    },
    'later quota of such a model': {
      from: 'finish: one',
      to: 'queue: lab, nominal: {gqu: 8}',
      want: '9 events.0.nominal.gqu: no node and no pod has the model gqu; there are gpu',
    },
    'a workload in a queue that has others below it': {
      from: 'queue: lab',
      to: 'queue: root',
      want: '7 workloads.0.queue: root has queues below it (lab): workloads go to a leaf',
    },
    'a workload that waits for itself': {
      from: 'queue: lab',
      to: 'queue: lab, dependsOn: [one]',
      want: '7 workloads.0.dependsOn: waits for itself: one → one',
    },
    'workloads that wait for one another': {
      from: '{name: one, queue: lab',
      to: '{name: two, queue: lab, dependsOn: [one], pods: [{name: w}]}\n  - {name: one, queue: lab, dependsOn: [two]',
      want: '7 workloads.0.dependsOn: waits for itself: two → one → two',
    },
    'a dependency that is submitted later': {
      from: 'running: {worker: {n-0: 1}}}\nevents:',
      to: 'dependsOn: [two]}\nevents:\n  - {at: 1, submit: {name: two, queue: lab, pods: [{name: w}]}}',
      want: '7 workloads.0.dependsOn: no workload two yet: it is submitted later',
    },
    'a submitted workload that waits for itself': {
      from: 'finish: one',
      to: 'submit: {name: two, queue: lab, dependsOn: [two], pods: [{name: worker}]}',
      want: '9 events.0.submit.dependsOn: waits for itself: two → two',
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

  const values: Record<string, { from: string; to: string; want: string }> = {
    'a time with a unit': {
      from: 'at: 5, finish',
      to: 'at: 5s, finish',
      want: '9 events.0.at: is "5s", but must be seconds, not below 0, e.g. 90 or 0.5',
    },
    'no time': {
      from: 'at: 5, finish',
      to: 'at:, finish',
      want: '9 events.0.at: is empty, but must be seconds, not below 0, e.g. 90 or 0.5',
    },
    'a duration as text': {
      from: 'queue: lab,',
      to: 'queue: lab, runtime: "60",',
      want: '7 workloads.0.runtime: is "60", but must be seconds, not below 0, e.g. 90 or 0.5',
    },
    'a time of submission as a word': {
      from: 'queue: lab,',
      to: 'queue: lab, submittedAt: yesterday,',
      want: '7 workloads.0.submittedAt: is "yesterday", but must be seconds from the start, e.g. 90, or -90 for before it',
    },
    'a checkpoint without time between': {
      from: 'queue: lab,',
      to: 'queue: lab, checkpointEvery: 0,',
      want: '7 workloads.0.checkpointEvery: is 0, but must be seconds, more than 0, e.g. 600',
    },
    'memory in a unit that does not exist': {
      from: 'accelerators: 1',
      to: 'memory: 64GB',
      want: '7 workloads.0.pods.0.memory: is "64GB", but must be a quantity as Kubernetes writes it, e.g. 500m, 96 or 64Gi',
    },
    'memory that is no quantity': {
      from: 'count: 2',
      to: 'memory: [64]',
      want: '2 fleet.nodes.0.memory: is a list, but must be a quantity as Kubernetes writes it, e.g. 500m, 96 or 64Gi',
    },
    'an amount with a unit': {
      from: 'gpu: 16',
      to: 'gpu: 16x',
      want: '5 queues.1.nominal.gpu: is "16x", but must be a number of devices or CPUs, e.g. 8 or 0.5',
    },
    'a count that is no whole number': {
      from: 'count: 2',
      to: 'count: 2.5',
      want: '2 fleet.nodes.0.count: is 2.5, but must be a whole number, e.g. 8',
    },
    'devices in words': {
      from: 'count: 2',
      to: 'accelerators: {count: two}',
      want: '2 fleet.nodes.0.accelerators.count: is "two", but must be a number, e.g. 8',
    },
    'a word that is none of those': {
      from: 'queue: lab,',
      to: 'queue: lab, kind: batch,',
      want: '7 workloads.0.kind: is "batch", but must be one of training, inference, pods',
    },
    'a level without what it is for': {
      from: 'accelerators: 1',
      to: 'topology: rack',
      want: '7 workloads.0.pods.0.topology: is "rack", but must be one of {required: rack}, {preferred: rack}, {slice: {size: 4, level: host}}',
    },
    'one name instead of a list': {
      from: 'running: []',
      to: 'running: one',
      want: '11 expect.0.running: is "one", but must be a list, e.g. [one]',
    },
    'a number instead of a name': {
      from: 'queue: lab,',
      to: 'queue: 7,',
      want: '7 workloads.0.queue: is 7, but must be text, e.g. "7"',
    },
    'a field that is missing': {
      from: 'queue: lab, pods',
      to: 'pods',
      want: '7 workloads.0.queue: is missing: it must be text',
    },
    'a policy with units': {
      from: 'queues:',
      to: 'policy: {preemption: {minRuntime: 5m}}\nqueues:',
      want: '3 policy.preemption.minRuntime: is "5m", but must be seconds, from 0 to a year, e.g. 90 or 0.5',
    },
  };
  it.each(Object.entries(values))('says what it has and what it must have: %s', (_what, { from, to, want }) => {
    expect(mistakesOf(FILE.replace(from, to))).toEqual([want]);
  });

  it('shows at once what is wrong in itself and what is wrong because of others', () => {
    const text = FILE.replace('count: 2}]', 'count: 2, rak: r1}, {name: m, count: 1.5}]')
      .replace('queue: lab,', 'queue: root, runtime: 5m,')
      .replace('events:', '  - {name: two, queue: lob, pods: [{name: worker, topology: {required: row}}]}\nevents:')
      .replace('{at: 5, running: []}', '{at: 5, running: [three], on: {two: [n-7]}, usage: {lob: {gpu: 1}}}');
    expect(mistakesOf(text)).toEqual([
      '2 fleet.nodes.0.rak: is not a known field, nor a level of this file (rack)',
      '2 fleet.nodes.1.count: is 1.5, but must be a whole number, e.g. 8',
      '7 workloads.0.runtime: is "5m", but must be seconds, not below 0, e.g. 90 or 0.5',
      '8 workloads.1.queue: no queue lob',
      '12 expect.0.running: no workload three',
      expect.stringContaining('12 expect.0.usage.lob: no queue lob'),
    ]);
  });
});
