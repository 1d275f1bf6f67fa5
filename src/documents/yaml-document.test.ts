import { describe, expect, it } from '@jest/globals';
import { formatProblems } from './yaml-document.js';

describe(formatProblems.name, () => {
  const problem = (line: number) => ({ line, column: 3, path: 'train.epochs', message: 'must be at least 1' });

  it('names file, line, column and field, one line a problem', () => {
    expect(formatProblems('job.yaml', [problem(7), { ...problem(9), path: '' }])).toBe(
      'job.yaml:7:3: train.epochs: must be at least 1\njob.yaml:9:3: must be at least 1',
    );
  });

  it('shows the first of very many, and counts the others', () => {
    const lines = formatProblems(
      'data.gz',
      Array.from({ length: 1_200 }, (_, line) => problem(line)),
    ).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('data.gz: and 1180 more');
  });
});
