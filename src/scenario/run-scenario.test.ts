import { describe, expect, it } from '@jest/globals';
import { formatFailure } from './format-failure.js';
import { readScenarioFile } from './read-scenario-file.js';
import { runScenario } from './run-scenario.js';

/** One node with 4 devices, two queues, a workload that runs and one that waits; and what is expected. */
function failuresOf(...expectations: readonly string[]): readonly string[] {
  const text = `
name: a story
fleet: {nodes: [{name: n, rack: r1, accelerators: {model: h100, count: 4}}]}
queues:
  - {name: root}
  - {name: lab, parent: root, nominal: {h100: 2}}
  - {name: rest, parent: root, nominal: {h100: 2}}
workloads:
  - {name: first, queue: lab, runtime: 60, pods: [{name: worker, count: 4, accelerators: 1, model: h100}], running: {worker: {n: 4}}}
  - {name: second, queue: lab, pods: [{name: worker, accelerators: 5, model: h100}]}
events:
  - {at: 90, finish: first}
expect:
${expectations.map((one) => `  - ${one}\n`).join('')}`;
  const result = readScenarioFile(text);
  if (result.kind === 'invalid') throw new Error(JSON.stringify(result.problems));
  return result.value.flatMap((scenario) => runScenario(scenario).failures.map(formatFailure));
}

describe(runScenario.name, () => {
  it('finds nothing where all is as expected', () => {
    expect(
      failuresOf(
        '{at: 0, running: [first], pending: [second], evicted: [], neverEvicted: [first], countRunning: {of: [first, second], is: 1}}',
        '{at: 0, pods: {first: 4}, podsPerSet: {first: {worker: 4}}, domains: {first: {rack: 1, host: 1}}, on: {first: [n]}}',
        '{at: 0, usage: {lab: {h100: 4}, root: {h100: 4}, rest: {h100: 0}}, share: {lab: 500, rest: 0}}',
        '{at: 60, running: [], runningIncludes: [], pendingIncludes: [second], finishedBy: {first: 60}}',
      ),
    ).toEqual([]);
  });

  const wrong: Record<string, { expectation: string; want: string }> = {
    running: {
      expectation: '{at: 7, running: [second]}',
      want: 'at 7 s: running: expected [second], but it is [first]',
    },
    'a part of those that run': {
      expectation: '{at: 7, runningIncludes: [second]}',
      want: 'at 7 s: running, at least: expected [second], but it is [first]',
    },
    pods: { expectation: '{at: 7, pods: {first: 3}}', want: 'at 7 s: pods of first: expected 3, but it is 4' },
    nodes: {
      expectation: '{at: 7, on: {first: {n: 3}}}',
      want: 'at 7 s: pods of first by node: expected {n: 3}, but it is {n: 4}',
    },
    reason: {
      expectation: '{at: 7, reason: {first: quota}}',
      want: 'at 7 s: why first waits: expected quota, but it is it does not wait',
    },
    share: {
      expectation: '{at: 7, share: {lab: 501}}',
      want: 'at 7 s: share of lab in per mille: expected 501, but it is 500',
    },
    'the end': {
      expectation: '{at: 7, finishedBy: {first: 60}}',
      want: 'at 7 s: first has finished: expected by 60 s, but it is not at all',
    },
  };
  it.each(Object.entries(wrong))('says what is expected and what is: %s', (_what, { expectation, want }) => {
    expect(failuresOf(expectation)).toEqual([want]);
  });

  it('fails a story that cannot be told, and says where', () => {
    expect(failuresOf('{end: true}')).toEqual(['at 90 s: first does not run, so it cannot finish']);
  });
});
