import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BerthChild } from '../support/berth-child.js';

const FIVE_MISTAKES = `apiVersion: scheduling.berth.dev/v1
kind: Workloads
metadata:
  name: Training
spec:
  queue: research
  priorty: 3
  maxRetries: -1
  podSets:
    - count: many
      template: { spec: { containers: [{ name: main, command: [sleep, '1'] }] } }
`;
const JOB = `name: adult
data: { format: csv, train: adult.csv }
features: [{ name: age, type: number }]
target: { name: income, type: binary }
model: { type: mlp, hidden: [8] }
train: { epochs: 1 }
`;

describe('berth apply, before it asks a server', () => {
  let berth: BerthChild;

  beforeAll(() => {
    berth = new BerthChild();
  });

  afterAll(() => {
    berth.remove();
  });

  // No server is configured: a command that got as far as sending would end with 1.
  it('reports five mistakes of a file with their lines, and ends with 2', async () => {
    berth.write('five.yaml', FIVE_MISTAKES);
    const { code, stdout, stderr } = await berth.run(['apply', '-f', 'five.yaml']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^five\.yaml:2:1: kind: /),
      expect.stringMatching(/^five\.yaml:4:3: metadata\.name: must be lower-case/),
      'five.yaml:7:3: spec.priorty: is not a known field',
      expect.stringMatching(/^five\.yaml:8:3: spec\.maxRetries: /),
      expect.stringMatching(/^five\.yaml:10:7: spec\.podSets\.0\.count: /),
      'berth: five.yaml has 5 mistakes, so nothing was created.',
    ]);
  });

  it('goes on to the server with a file that is right', async () => {
    berth.write('job.yaml', JOB);
    const { code, stderr } = await berth.run(['apply', '-f', 'job.yaml', '--queue', 'research']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('No server is configured') });
  });

  const refused: Record<string, { args: readonly string[]; want: string }> = {
    'a job file without a queue': { args: ['job.yaml'], want: 'job.yaml:1:1: is a job file: say with --queue' },
    'a flag that a workload has no use for': {
      args: ['workload.yaml', '--gpus', '1'],
      want: 'berth: --gpus is for job files, and workload.yaml holds workloads: write it there.',
    },
    'one name for two jobs': {
      args: ['jobs.yaml', '--queue', 'research', '--name', 'one'],
      want: 'berth: --name names one job, and jobs.yaml holds 2.',
    },
  };
  it.each(Object.entries(refused))('ends with 2 on %s', async (_title, { args, want }) => {
    berth.write('job.yaml', JOB);
    berth.write('jobs.yaml', `${JOB}---\n${JOB}`);
    berth.write(
      'workload.yaml',
      FIVE_MISTAKES.replace('Workloads', 'Workload')
        .replace('Training', 'training')
        .replace('  priorty: 3\n', '')
        .replace('-1', '1')
        .replace('many', '1'),
    );
    const { code, stderr } = await berth.run(['apply', '-f', ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(want) });
  });
});
