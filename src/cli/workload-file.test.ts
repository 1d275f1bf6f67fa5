import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '../documents/yaml-document.js';
import { locateInFile, readWorkloadFile, type FiledWorkload } from './workload-file.js';
import type { JobWishes } from './wrap-job.js';

const JOB = `
name: adult
data: { format: csv, train: adult.csv.gz, test: /data/test.csv }
features:
  - { name: age, type: number }
target: { name: income, type: binary }
model: { type: mlp, hidden: [8] }
train: { epochs: 1 }
`;
const WORKLOAD = `
apiVersion: scheduling.berth.dev/v1
kind: Workload
metadata: { name: sleep, namespace: research }
spec:
  queue: research
  podSets:
    - template:
        spec:
          containers:
            - name: main
              command: [sleep, '1']
`;

function filed(text: string, wishes: Partial<JobWishes> = { queue: 'research' }): readonly FiledWorkload[] {
  const result = readWorkloadFile('/jobs/file.yaml', text, wishes);
  if (result.kind === 'invalid') throw new Error(formatProblems('file.yaml', result.problems));
  return result.value;
}

function mistakes(text: string, wishes: Partial<JobWishes> = { queue: 'research' }): string[] {
  const result = readWorkloadFile('/jobs/file.yaml', text, wishes);
  return result.kind === 'valid' ? [] : formatProblems('file.yaml', result.problems).split('\n');
}

describe(readWorkloadFile.name, () => {
  it('makes a job file a workload of one pod that trains it', () => {
    const [one, ...others] = filed(JOB, { queue: 'research', gpus: 2, flavors: ['h100', 'a100'] });
    expect(others).toEqual([]);
    expect(one).toMatchObject({
      kind: 'job',
      document: {
        kind: 'Workload',
        metadata: { name: 'adult' },
        spec: {
          queue: 'research',
          podSets: [{ count: 1, accelerators: { flavors: ['h100', 'a100'], count: 2 }, trainer: { name: 'adult' } }],
        },
      },
    });
  });

  it('asks for no devices unless it is told to', () => {
    expect(filed(JOB)[0]?.document.spec.podSets[0]?.accelerators).toBeUndefined();
  });

  it('starts relative data at the file, and leaves absolute paths, URLs and the checkpoint alone', () => {
    const text = JOB.replace('/data/test.csv', 'file:///data/test.csv') + 'checkpoint: { dir: ./kept }\n';
    expect(filed(text)[0]?.document.spec.podSets[0]?.trainer).toMatchObject({
      data: { train: '/jobs/adult.csv.gz', test: 'file:///data/test.csv' },
      checkpoint: { dir: './kept' },
    });
  });

  it('starts relative data at the file also inside a workload', () => {
    const job = JOB.trim().replaceAll('\n', '\n          ');
    const template = WORKLOAD.slice(WORKLOAD.indexOf('    - template'));
    const text = WORKLOAD.replace(template, `    - trainer:\n          ${job}\n`);
    expect(filed(text)[0]?.document.spec.podSets[0]?.trainer?.data.train).toBe('/jobs/adult.csv.gz');
  });

  it('reads several documents of both kinds', () => {
    const kinds = filed(`${WORKLOAD}---\n${JOB}`).map(({ kind, index }) => [kind, index]);
    expect(kinds).toEqual([
      ['workload', 0],
      ['job', 1],
    ]);
  });

  it('reports five mistakes of a job file at once, each with its line', () => {
    const text = `name: Adult
data: { format: tsv, train: adult.csv }
features:
  - { name: age, type: number, normalize: zscore }
target: { name: income, type: binary }
model: { type: mlp, hidden: [8], dropout: 1 }
train: { epochs: 0 }
`;
    expect(mistakes(text)).toEqual([
      expect.stringMatching(/^file\.yaml:1:1: name: must be 1 to 63 lower-case letters/),
      expect.stringMatching(/^file\.yaml:2:9: data\.format: /),
      expect.stringMatching(/^file\.yaml:4:32: features\.0\.normalize: is not a known field$/),
      expect.stringMatching(/^file\.yaml:6:34: model\.dropout: must be below 1$/),
      expect.stringMatching(/^file\.yaml:7:10: train\.epochs: /),
    ]);
  });

  it('names an unknown field of a workload, in the second document too', () => {
    const text = `${JOB}---${WORKLOAD}  priorty: 3\n`;
    expect(mistakes(text)).toEqual(['file.yaml:21:3: spec.priorty: is not a known field']);
  });

  it('asks for the queue that a job file cannot name', () => {
    expect(mistakes(JOB, {})).toEqual([
      'file.yaml:2:1: is a job file: say with --queue where it is to run; `berth get queues` lists the queues',
    ]);
  });

  it('shows a name that is too long for a workload where it stands', () => {
    const text = JOB.replace('adult', 'a'.repeat(41));
    expect(mistakes(text)).toEqual(['file.yaml:2:1: name: must be at most 40 characters']);
  });

  it('names the field when the mistake came from the command line', () => {
    expect(mistakes(JOB, { queue: 'Research' })).toEqual([
      expect.stringContaining('file.yaml:2:1: spec.queue: must be'),
    ]);
    expect(mistakes(JOB, { queue: 'research', name: '-' })).toEqual([
      expect.stringContaining('file.yaml:2:1: metadata.name: must be'),
    ]);
  });

  it('says what it reads when it gets something else', () => {
    expect(mistakes('- 1\n')).toEqual([
      'file.yaml:1:1: must be a job file of the trainer, or a document with kind: Workload',
    ]);
  });
});

describe(locateInFile.name, () => {
  const text = `${WORKLOAD}---${JOB}`;

  it('finds the fields of a workload in its document', () => {
    const [workload] = filed(text);
    if (workload === undefined) throw new Error('the file has two documents');
    expect(locateInFile(text, workload, [{ path: 'spec.podSets.0.template', message: 'is odd' }])).toEqual([
      { line: 8, column: 7, path: 'spec.podSets.0.template', message: 'is odd' },
    ]);
  });

  it('does not look in the file for a name that came from the command line', () => {
    const [job] = filed(JOB, { queue: 'research', name: 'again' });
    if (job === undefined) throw new Error('the file has a document');
    expect(locateInFile(JOB, job, [{ path: 'metadata.name', message: 'is taken' }])).toEqual([]);
  });

  it('finds the fields of a job by what the workload calls them, and not what the file lacks', () => {
    const [, job] = filed(text);
    if (job === undefined) throw new Error('the file has two documents');
    const found = locateInFile(text, job, [
      { path: 'spec.podSets.0.trainer.train.epochs', message: 'is odd' },
      { path: 'metadata.name', message: 'is taken' },
      { path: 'spec.queue', message: 'is none' },
    ]);
    expect(found).toEqual([
      { line: 14, column: 1, path: 'name', message: 'is taken' },
      { line: 20, column: 10, path: 'train.epochs', message: 'is odd' },
    ]);
  });
});
