import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { mistakeMessage } from './mistake-message.js';
import { parseYamlDocument } from './yaml-document.js';

const cases: Record<string, { schema: z.ZodType; value: unknown; want: string }> = {
  'what a schema is described as': {
    schema: z.number().min(0).describe('seconds, e.g. 90').optional(),
    value: '5m',
    want: 'is "5m", but must be seconds, e.g. 90',
  },
  'the same where a rule of it is broken': {
    schema: z.number().min(0).describe('seconds, e.g. 90'),
    value: -1,
    want: 'is -1, but must be seconds, e.g. 90',
  },
  'the type, where nothing is described': { schema: z.string(), value: 5, want: 'is 5, but must be text, e.g. "5"' },
  'a type with an example made of the value': {
    schema: z.array(z.string()),
    value: 'one',
    want: 'is "one", but must be a list, e.g. [one]',
  },
  'the words of an enumeration': { schema: z.enum(['a', 'b']), value: 'c', want: 'is "c", but must be one of a, b' },
  'a bound': { schema: z.int().min(1), value: 0, want: 'is 0, but must be at least 1' },
  'a bound that is not reached itself': { schema: z.number().lt(8), value: 8, want: 'is 8, but must be less than 8' },
  'a length': {
    schema: z.array(z.string()).min(2),
    value: ['a'],
    want: 'is a list, but must be at least 2 entries long',
  },
  'what is empty': { schema: z.boolean(), value: null, want: 'is empty, but must be true or false' },
  'what is missing': {
    schema: z.record(z.string(), z.string()),
    value: undefined,
    want: 'is missing: it must be a mapping, e.g. {name: value}',
  },
  'a long text by its beginning': {
    schema: z.number(),
    value: 'x'.repeat(100),
    want: `is "${'x'.repeat(59)}…, but must be a number, e.g. 8`,
  },
  'what a rule says itself': {
    schema: z.string().refine(() => false, 'must be even'),
    value: 'odd',
    want: 'must be even',
  },
};

describe(mistakeMessage.name, () => {
  it.each(Object.entries(cases))('says %s', (_what, { schema, value, want }) => {
    const { error } = schema.safeParse(value, { error: mistakeMessage });
    expect(error?.issues.map(({ message }) => message)).toEqual([want]);
  });
});

describe('of several forms that a value may have', () => {
  const schema = z
    .union([z.strictObject({ near: z.string() }), z.array(z.strictObject({ far: z.int() }))])
    .describe('one of {near: node}, [{far: 1}]');
  const mistakesOf = (text: string): readonly string[] => {
    const result = parseYamlDocument(text, schema);
    return result.kind === 'valid' ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
  };

  it('the mistakes of the one that it was meant to have are told', () => {
    expect(mistakesOf('near: 5\nfast: true')).toEqual([
      'near: is 5, but must be text, e.g. "5"',
      'fast: is not a known field',
    ]);
    expect(mistakesOf('- {far: x}')).toEqual(['0.far: is "x", but must be a number, e.g. 8']);
  });

  it('all are told when it has none', () => {
    expect(mistakesOf('near')).toEqual([': is "near", but must be one of {near: node}, [{far: 1}]']);
  });
});
