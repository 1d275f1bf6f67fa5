import { describe, expect, it } from '@jest/globals';
import { aNode, aPodSet } from '../../../test/support/fleet-builders.js';
import { slotGroups } from '../fleet/index.js';
import type { NodeAffinityTerm, NodeRequirement } from '../index.js';
import { matchesNodeAffinity } from './node-affinity.js';
import { PodShape, whyNever } from './pod-shape.js';

const NODE = aNode('a', { labels: { zone: 'z1', cores: '96', word: 'x' } });

const requirements: Record<string, { is: NodeRequirement; want: boolean }> = {
  'In one of the values': { is: { key: 'zone', operator: 'In', values: ['z0', 'z1'] }, want: true },
  'In none of them': { is: { key: 'zone', operator: 'In', values: ['z0'] }, want: false },
  'In, without the label': { is: { key: 'none', operator: 'In', values: ['z0'] }, want: false },
  'NotIn one of the values': { is: { key: 'zone', operator: 'NotIn', values: ['z1'] }, want: false },
  'NotIn, without the label': { is: { key: 'none', operator: 'NotIn', values: ['z1'] }, want: true },
  Exists: { is: { key: 'zone', operator: 'Exists' }, want: true },
  'Exists, without the label': { is: { key: 'none', operator: 'Exists' }, want: false },
  DoesNotExist: { is: { key: 'none', operator: 'DoesNotExist' }, want: true },
  'Gt a smaller number': { is: { key: 'cores', operator: 'Gt', values: ['64'] }, want: true },
  'Gt the same number': { is: { key: 'cores', operator: 'Gt', values: ['96'] }, want: false },
  'Lt a larger number': { is: { key: 'cores', operator: 'Lt', values: ['128'] }, want: true },
  'Lt of a word': { is: { key: 'word', operator: 'Lt', values: ['128'] }, want: false },
  'Gt, without the label': { is: { key: 'none', operator: 'Gt', values: ['1'] }, want: false },
};

const terms: Record<string, { terms: readonly NodeAffinityTerm[]; want: boolean }> = {
  'one term of two is enough': {
    terms: [
      { matchLabels: [{ key: 'zone', operator: 'In', values: ['z0'] }] },
      { matchLabels: [{ key: 'zone', operator: 'Exists' }] },
    ],
    want: true,
  },
  'all requirements of a term must hold': {
    terms: [
      {
        matchLabels: [
          { key: 'zone', operator: 'Exists' },
          { key: 'word', operator: 'In', values: ['y'] },
        ],
      },
    ],
    want: false,
  },
  'an empty term matches nothing': { terms: [{ matchLabels: [] }], want: false },
};

describe(matchesNodeAffinity.name, () => {
  it.each(Object.entries(requirements))('reads %s', (_title, { is, want }) => {
    expect(matchesNodeAffinity([{ matchLabels: [is] }], NODE)).toBe(want);
  });

  it.each(Object.entries(terms))('%s', (_title, { terms: affinity, want }) => {
    expect(matchesNodeAffinity(affinity, NODE)).toBe(want);
  });

  it('rules a node out as a label does', () => {
    const pods = aPodSet({ nodeAffinity: [{ matchLabels: [{ key: 'zone', operator: 'DoesNotExist' }] }] });
    const example = { spec: NODE, flavors: { devices: ['h100'] }, slotGroups: slotGroups(NODE, ['h100']) };
    expect(whyNever(new PodShape(pods, 'h100'), example)).toEqual({ by: 'affinity', value: 'node affinity' });
  });
});
