import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../test/support/api-builders.js';
import type { Node } from '../server/fleet/fleet.schema.js';
import { nodeCondition } from './node-condition.js';

const cases: Record<string, { node: Partial<Node>; want: ReturnType<typeof nodeCondition> }> = {
  'is usable when healthy': { node: {}, want: { word: 'healthy', kind: 'usable' } },
  'is cordoned although healthy': { node: { unschedulable: true }, want: { word: 'cordoned', kind: 'no-new-pods' } },
  'names both when two things are wrong': {
    node: { state: 'suspect', unschedulable: true },
    want: { word: 'suspect, cordoned', kind: 'no-new-pods' },
  },
  'takes no new pods while it drains': { node: { state: 'draining' }, want: { word: 'draining', kind: 'no-new-pods' } },
  'is gone when lost, cordoned or not': {
    node: { state: 'lost', unschedulable: true },
    want: { word: 'lost', kind: 'gone' },
  },
};

describe(nodeCondition.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { node, want }) => {
    expect(nodeCondition(aNode(node))).toEqual(want);
  });
});
