import { describe, expect, it } from '@jest/globals';
import { nodeRanges } from './node-ranges.js';
import { readScenarioFile } from './read-scenario-file.js';
import { runScenario } from './run-scenario.js';
import { timelineOf } from './timeline.js';

/** A story in which most things happen that can happen. */
const STORY = `
name: a long day
policy: { preemption: { minRuntime: 0 }, backfill: { depth: 1 } }
fleet: { nodes: [{ name: a, count: 3, accelerators: { model: h100, count: 4 } }] }
queues:
  - { name: root }
  - { name: owner, parent: root, nominal: { h100: 12 } }
  - { name: guest, parent: root, nominal: { h100: 0 } }
workloads:
  - { name: visit, queue: guest, runtime: 900, checkpointEvery: 60, pods: [{ name: worker, count: 8, minCount: 4, accelerators: 1, model: h100 }], running: { worker: { a-0: 4, a-1: 4 } } }
  - { name: first, queue: owner, runtime: 100, estimate: 100, pods: [{ name: worker, count: 1, accelerators: 4, model: h100 }], running: { worker: { a-2: 1 } } }
  - { name: later, queue: owner, hold: true, pods: [{ name: worker }] }
events:
  - { at: 10, submit: { name: home, queue: owner, runtime: 300, pods: [{ name: worker, accelerators: 4, model: h100 }] } }
  - { at: 20, submit: { name: big, queue: owner, runtime: 50, pods: [{ name: worker, count: 2, accelerators: 4, model: h100 }] } }
  - { at: 30, release: later }
  - { at: 400, node: a-2, state: lost }
  - { at: 500, addNode: { name: b, count: 2, accelerators: { model: h100, count: 4 } } }
  - { at: 600, workload: later, priority: 5 }
  - { at: 700, cancel: later }
  - { at: 710, removeNode: b-1 }
  - { at: 720, queue: owner, nominal: { h100: 8 } }
expect: [{ end: true }]
`;

function told(text: string): readonly string[] {
  const result = readScenarioFile(text);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result.value.flatMap((scenario) =>
    timelineOf(runScenario(scenario).history).map(({ atMs, workloads, what, nodes }) =>
      [atMs / 1000, workloads.join(', '), what, nodeRanges(nodes)].join(' | '),
    ),
  );
}

describe(timelineOf.name, () => {
  it('tells of a plan whom it waits for and how many give way, where there are some', () => {
    const story = `
name: a protected guest
fleet: { nodes: [{ name: a, accelerators: { model: h100, count: 4 } }] }
queues:
  - { name: root }
  - { name: owner, parent: root, nominal: { h100: 4 } }
  - { name: guest, parent: root, nominal: { h100: 0 } }
workloads:
  - { name: visit, queue: guest, runtime: 900, pods: [{ name: worker, accelerators: 4, model: h100 }] }
events:
  - { at: 10, submit: { name: home, queue: owner, runtime: 100, pods: [{ name: worker, accelerators: 4, model: h100 }] } }
expect: [{ end: true }]
`;
    const plans = told(story).filter((line) => line.includes('planned'));
    expect(plans).toEqual(['10 | home | is planned for 300s, in the place of 1 workload | a']);
  });

  it('tells what happens, to whom, where, and for whom or why', () => {
    expect(told(STORY)).toEqual([
      '0 | visit | runs | a-[0-1]',
      '0 | first | runs | a-2',
      '0 | later | waits until it is released (hold) | ',
      '10 | home | is submitted | ',
      '10 | visit | shrinks by 4 pods for home (reclaimed) | a-1',
      '10 | home | starts, 1 pod, after visit | a-1',
      '20 | big | is submitted | ',
      '20 | big | waits until its queue may use more (quota) | ',
      '20 | big | is planned for 100s, after first, in the place of 1 workload | a-[0,2]',
      '30 | later | is released | ',
      '30 | later | starts, 1 pod | a-0',
      '100 | first | has succeeded | ',
      '100 | visit | is evicted for big (reclaimed) | a-0',
      '100 | big | starts, 2 pods, after visit | a-[0,2]',
      '100 | visit | waits until its queue may use more (quota) | ',
      '150 | big | has succeeded | ',
      '150 | visit | starts again, 8 pods | a-[0,2]',
      '310 | home | has succeeded | ',
      '400 |  | node is lost | a-2',
      '400 | visit | goes on without 4 pods | a-2',
      '400 | visit | grows by 4 pods | a-1',
      '500 |  | node is added | b-[0-1]',
      '600 | later | gets priority 5 | ',
      '700 | later | is evicted (cancelled), for good | a-0',
      '700 | later | is cancelled | ',
      '710 |  | node is removed | b-1',
      '720 |  | queue owner is changed | ',
      '990 | visit | has succeeded | ',
    ]);
  });

  it('tells for when a start is planned, and when that moves', () => {
    const story = `
name: a plan moves
fleet: { nodes: [{ name: n, accelerators: { model: h100, count: 2 } }] }
queues: [{ name: lab, nominal: { h100: 2 } }]
workloads:
  - { name: short, queue: lab, runtime: 50, estimate: 100, pods: [{ name: worker, accelerators: 1, model: h100 }], running: { worker: { n: 1 } } }
  - { name: long, queue: lab, runtime: 180, estimate: 120, pods: [{ name: worker, accelerators: 1, model: h100 }], running: { worker: { n: 1 } } }
  - { name: big, queue: lab, runtime: 10, pods: [{ name: worker, accelerators: 2, model: h100 }] }
expect: [{ at: 200, running: [] }]
`;
    expect(told(story).filter((line) => line.includes('big'))).toEqual([
      '0 | big | waits until its queue may use more (quota) | ',
      '0 | big | is planned for 120s, after long | n',
      '120 | big | is planned for 180s instead of 120s, after long | n',
      '180 | big | starts, 1 pod | n',
      '190 | big | has succeeded | ',
    ]);
  });
});
