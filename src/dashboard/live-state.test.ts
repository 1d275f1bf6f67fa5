import { describe, expect, it } from '@jest/globals';
import { aChange, aNode, aQueue, aWorkload } from '../../test/support/api-builders.js';
import type { Change } from '../server/events/events.schema.js';
import { FINISHED_MAX, INITIAL_LIVE_STATE, liveState, type ClusterState, type LiveState } from './live-state.js';

const everything = (over: Partial<Change> = {}): Change => aChange({ kind: 'everything', ...over });

function after(...changes: readonly Change[]): LiveState {
  return changes.reduce<LiveState>(
    (state, change, index) => liveState(state, { kind: 'change-received', change, atMs: index + 1 }),
    INITIAL_LIVE_STATE,
  );
}

function clusterAfter(...changes: readonly Change[]): ClusterState {
  const { cluster } = after(...changes);
  if (cluster === undefined) throw new Error('no cluster after a change');
  return cluster;
}

const names = (cluster: ClusterState): readonly string[] =>
  [...cluster.workloads.values()].map(({ metadata }) => metadata.name);

describe(liveState.name, () => {
  it('lays a change over what is known, and leaves the rest the same objects', () => {
    const before = clusterAfter(everything({ nodes: [aNode({ name: 'a' }), aNode({ name: 'b' })] }));
    const now = clusterAfter(
      everything({ nodes: [...before.nodes.values()] }),
      aChange({ nodes: [aNode({ name: 'b', state: 'lost' })] }),
    );
    expect(now.nodes.get('b')?.state).toBe('lost');
    expect(now.nodes.get('a')).toBe(before.nodes.get('a'));
  });

  it('forgets what is removed, and ignores a removal of what it never saw', () => {
    const cluster = clusterAfter(
      everything({ nodes: [aNode({ name: 'a' })], workloads: [aWorkload('kept'), aWorkload('gone')] }),
      aChange({ removed: { nodes: ['a'], workloads: ['uid-of-gone', 'uid-of-a-stranger'] } }),
    );
    expect([...cluster.nodes]).toEqual([]);
    expect(names(cluster)).toEqual(['kept']);
  });

  it('begins anew with everything, so that nothing that went while it was away stays', () => {
    const cluster = clusterAfter(
      everything({ nodes: [aNode({ name: 'a' })], queues: [aQueue({ name: 'old' })], workloads: [aWorkload('old')] }),
      everything({ nodes: [aNode({ name: 'b' })] }),
    );
    expect([...cluster.nodes.keys()]).toEqual(['b']);
    expect(cluster.queues).toEqual([]);
    expect(names(cluster)).toEqual([]);
  });

  it('replaces the queues when some come, and keeps them when none do', () => {
    const tree = [aQueue({ name: 'company', leaf: false }), aQueue({ name: 'research', parent: 'company' })];
    const without = [aQueue({ name: 'company' })];
    expect(clusterAfter(everything({ queues: tree }), aChange()).queues).toEqual(tree);
    expect(clusterAfter(everything({ queues: tree }), aChange({ queues: without })).queues).toEqual(without);
  });

  it('keeps all unfinished workloads and only the latest finished ones', () => {
    const finished = Array.from({ length: FINISHED_MAX + 2 }, (_, index) =>
      aWorkload(`done-${index}`, { state: 'succeeded', finishedAt: new Date(index * 1000).toISOString() }),
    );
    const shown = names(
      clusterAfter(everything({ workloads: [aWorkload('waits')] }), aChange({ workloads: finished })),
    );
    expect(shown).toHaveLength(FINISHED_MAX + 1);
    expect(shown).toContain('waits');
    expect(shown).not.toContain('done-0');
    expect(shown).not.toContain('done-1');
    expect(shown).toContain('done-2');
  });

  it('shows the last cluster and its time while the connection is lost, and is live again with the next message', () => {
    const lost = liveState(after(everything({ nodes: [aNode({ name: 'a' })] })), { kind: 'connection-lost' });
    expect(lost).toMatchObject({ connection: 'lost', updatedAtMs: 1 });
    expect([...(lost.cluster?.nodes.keys() ?? [])]).toEqual(['a']);
    const back = liveState(lost, { kind: 'change-received', change: everything(), atMs: 9 });
    expect(back).toMatchObject({ connection: 'live', updatedAtMs: 9 });
  });

  it('says so when there never was a connection', () => {
    expect(liveState(INITIAL_LIVE_STATE, { kind: 'connection-lost' })).toEqual({ connection: 'lost' });
  });
});
