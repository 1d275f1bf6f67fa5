import { describe, expect, it } from '@jest/globals';
import { nodeRanges } from './node-ranges.js';

const cases: Record<string, { names: readonly string[]; want: string }> = {
  'joins neighbours': { names: ['a-0', 'a-1', 'a-2'], want: 'a-[0-2]' },
  'goes by value, not by text': { names: ['a-10', 'a-9', 'a-11'], want: 'a-[9-11]' },
  'leaves gaps': { names: ['a-0', 'a-2', 'a-3', 'a-7'], want: 'a-[0,2-3,7]' },
  'names one as it is': { names: ['a-4'], want: 'a-4' },
  'names each once': { names: ['a', 'a'], want: 'a' },
  'keeps others apart, in their order': { names: ['tpu', 'b-1', 'a-1', 'a-2'], want: 'a-[1-2], b-1, tpu' },
  'takes leading zeros as part of the name': { names: ['n01', 'n02'], want: 'n0[1-2]' },
  'says nothing of none': { names: [], want: '' },
};

describe(nodeRanges.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { names, want }) => {
    expect(nodeRanges(names)).toBe(want);
  });
});
