import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BerthChild } from '../support/berth-child.js';

const STORY = `
scenarios:
  - name: one fits
    tags: [small]
    fleet: {nodes: [{name: n, accelerators: {model: h100, count: 2}}]}
    queues: [{name: lab, nominal: {h100: 2}}]
    workloads: [{name: one, queue: lab, runtime: 60, pods: [{name: worker, accelerators: 2, model: h100}]}]
    expect:
      - {at: 0, running: [one]}
      - {end: true, finishedBy: {one: 60}}
  - name: none fits
    fleet: {nodes: [{name: n, accelerators: {model: h100, count: 1}}]}
    queues: [{name: lab, nominal: {h100: 2}}]
    workloads: [{name: two, queue: lab, pods: [{name: worker, accelerators: 2, model: h100}]}]
    expect: [{at: 5, running: [two]}]
`;

describe('berth scenario run', () => {
  let berth: BerthChild;
  let file: string;

  beforeAll(() => {
    berth = new BerthChild();
    file = berth.write('story.yaml', STORY);
  });

  afterAll(() => {
    berth.remove();
  });

  it('prints a line for each scenario, what is not as expected under it, and ends with 1', async () => {
    const { code, stdout, stderr } = await berth.run(['scenario', 'run', file]);
    expect({ code, stderr, lines: stdout.replaceAll(/\([\d.]+ m?s\)/g, '(t)').split('\n') }).toEqual({
      code: 1,
      stderr: '',
      lines: [
        'pass  one fits (t)',
        'FAIL  none fits (t)',
        '        at 5 s: running: expected [two], but it is []',
        '1 of 2 scenarios hold (t)',
        '',
      ],
    });
  });

  it('plays only what has the tag, and ends with 0 when all of it holds', async () => {
    const { code, stdout } = await berth.run(['scenario', 'run', file, '--tag', 'small']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^pass {2}one fits .*\n1 of 1 scenarios hold, 1 without the tag .*\n$/),
    });
    expect(await berth.run(['scenario', 'run', file, '--tag', 'none'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('takes several tags with commas or one after the other, and no file for a tag', async () => {
    for (const tags of [
      ['--tag', 'none,small'],
      ['--tag', 'none', '--tag', 'small'],
    ]) {
      const { code, stdout } = await berth.run(['scenario', 'run', ...tags, file]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/1 of 1 scenarios hold/) });
    }
  });

  it('shows what happened when, without colors in a pipe, and not as a document too', async () => {
    const { code, stdout } = await berth.run(['scenario', 'run', '--timeline', file]);
    expect({ code, lines: stdout.replaceAll(/\([\d.]+ m?s\)/g, '(t)').split('\n') }).toEqual({
      code: 1,
      lines: [
        'pass  one fits (t)',
        'TIME   WORKLOAD   WHAT            WHERE',
        '0s     one        starts, 1 pod   n',
        '60s    one        has succeeded',
        '',
        'FAIL  none fits (t)',
        '        at 5 s: running: expected [two], but it is []',
        'TIME   WORKLOAD   WHAT                                         WHERE',
        '0s     two        waits for a node as it asks for (selector)',
        '',
        '1 of 2 scenarios hold (t)',
        '',
      ],
    });
    expect(await berth.run(['scenario', 'run', '--timeline', '--json', file])).toMatchObject({ code: 2, stdout: '' });
  });

  it('tells programs all failures and decisions', async () => {
    const { code, stdout } = await berth.run(['scenario', 'run', file, '--json']);
    const { scenarios, failed } = JSON.parse(stdout) as { scenarios: readonly object[]; failed: number };
    expect({ code, failed }).toEqual({ code: 1, failed: 1 });
    expect(scenarios).toEqual([
      expect.objectContaining({ file, name: 'one fits', outcome: 'pass', endSeconds: 60, failures: [] }),
      expect.objectContaining({
        name: 'none fits',
        outcome: 'fail',
        failures: [{ atSeconds: 5, what: 'running', expected: ['two'], actual: [] }],
      }),
    ]);
  });

  it('names each mistake of a file with its line, and plays nothing', async () => {
    const wrong = berth.write('wrong.yaml', STORY.replace('tags: [small]', 'tag: small'));
    const { code, stdout, stderr } = await berth.run(['scenario', 'run', wrong]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      `${wrong}:4:5: scenarios.0.tag: is not a known field\nberth: ${wrong} has 1 mistake, so nothing was played.\n`,
    );
  });

  it('names the mistakes of all files', async () => {
    const one = berth.write('one.yaml', STORY.replace('runtime: 60', 'runtime: 1m'));
    const two = berth.write('two.yaml', STORY.replace('running: [two]', 'running: [three]'));
    expect(await berth.run(['scenario', 'run', one, file, two])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: [
        `${one}:7:41: scenarios.0.workloads.0.runtime: is "1m", but must be seconds, not below 0, e.g. 90 or 0.5`,
        `${two}:15:22: scenarios.1.expect.0.running: no workload three`,
        'berth: 2 files have 2 mistakes, so nothing was played.',
        '',
      ].join('\n'),
    });
  });
});
