import { describe, expect, it } from '@jest/globals';
import { aPodObject } from '../../../../test/support/kube-objects.js';
import type { KubeObject } from '../api/kube-object.js';
import { ReflectedStore, type Change } from './reflected-store.js';

function aPod(version: number, { uid = 'u', node = 'n' } = {}): KubeObject {
  return { ...(aPodObject('a', version, uid) as KubeObject), node };
}

interface Case {
  readonly before: readonly KubeObject[];
  readonly act: (store: ReflectedStore<unknown>) => readonly Change<unknown>[];
  readonly want: readonly string[];
  readonly left: unknown;
}

const list =
  (...items: readonly KubeObject[]) =>
  (store: ReflectedStore<unknown>) =>
    store.replace(store.read(items));

const cases: Record<string, Case> = {
  'adds what is new': { before: [], act: (store) => store.put(aPod(1)), want: ['added'], left: 'n' },
  'changes what is known': {
    before: [aPod(9)],
    act: (store) => store.put(aPod(10, { node: 'm' })),
    want: ['changed'],
    left: 'm',
  },
  'deletes what is known': {
    before: [aPod(1)],
    act: (store) => store.remove(aPod(2)),
    want: ['deleted'],
    left: undefined,
  },
  'passes over what it knows already': {
    before: [aPod(10)],
    act: (store) => store.put(aPod(10, { node: 'm' })),
    want: [],
    left: 'n',
  },
  'passes over old news, by number and not by letter': {
    before: [aPod(10)],
    act: (store) => store.put(aPod(9, { node: 'm' })),
    want: [],
    left: 'n',
  },
  'passes over the end of an earlier object of that name': {
    before: [aPod(10)],
    act: (store) => store.remove(aPod(11, { uid: 'earlier' })),
    want: [],
    left: 'n',
  },
  'deletes and adds an object that was made anew under its name': {
    before: [aPod(1)],
    act: (store) => store.put(aPod(2, { uid: 'later', node: 'm' })),
    want: ['deleted', 'added'],
    left: 'm',
  },
  'finds nothing in a list of what it knows': { before: [aPod(1)], act: list(aPod(1)), want: [], left: 'n' },
  'finds in a list what was added': { before: [], act: list(aPod(1)), want: ['added'], left: 'n' },
  'finds in a list what was changed': { before: [aPod(1)], act: list(aPod(2)), want: ['changed'], left: 'n' },
  'finds in a list what is missing': { before: [aPod(1)], act: list(), want: ['deleted'], left: undefined },
  'believes a list that is older than what it knows': {
    before: [aPod(9, { node: 'm' })],
    act: list(aPod(2)),
    want: ['changed'],
    left: 'n',
  },
  'compares contents, as a restored server gives a version out twice': {
    before: [aPod(9)],
    act: list(aPod(9, { node: 'm' })),
    want: ['changed'],
    left: 'm',
  },
  'keeps what it knows of an object that it cannot read any more': {
    before: [aPod(1)],
    act: list(aPod(2, { node: 'unreadable' })),
    want: [],
    left: 'n',
  },
};

describe(ReflectedStore.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { before, act, want, left }) => {
    const project = ({ node }: KubeObject): unknown => {
      if (node === 'unreadable') throw new Error('no node');
      return node;
    };
    const store = new ReflectedStore<unknown>({ project, unreadable: () => undefined });
    store.replace(store.read(before));
    expect(act(store).map(({ kind }) => kind)).toEqual(want);
    expect(store.get('team/a')).toBe(left);
  });

  it('tells deletions of a list first, so that what they held is free when others are told', () => {
    const store = new ReflectedStore({ project: ({ metadata }) => metadata.name, unreadable: () => undefined });
    store.replace(store.read([aPod(1)]));
    const changes = store.replace(store.read([aPodObject('b', 2) as KubeObject]));
    expect(changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['deleted team/a', 'added team/b']);
  });
});
