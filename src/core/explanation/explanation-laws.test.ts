import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreStory } from '../../../test/support/core-story.js';
import type { Story } from '../../../test/support/core-world.js';
import { anyStory } from '../../../test/support/core-world.js';
import { aNode, aPodSet, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import type { Change, PodSetSpec, WorkloadSpec } from '../index.js';

/** `gang` has fewer pods than its new minimum and waits after a refusal; `asks` is short of quota, for the other device. */
const besideBelowMinimum: Story = {
  world: {
    nodes: [aNode('n0', { devices: 2 })],
    queues: [aQueue('lab', { h100: 0 }), aQueue('ops', { h100: 8 })],
    workloads: [
      aWorkload('gang', { queue: 'ops', podSets: [aPodSet({ onLoss: 'replace' })] }),
      aWorkload('asks', { podSets: [aPodSet()] }),
    ],
  },
  happenings: [
    { kind: 'submit', pick: 0, more: 0 },
    { kind: 'settle', pick: 0, more: 0 },
    { kind: 'start-all', pick: 0, more: 0 },
    // At least two, three at most.
    { kind: 'counts', pick: 0, more: 4 },
    { kind: 'settle-and-refuse', pick: 1, more: 0 },
    { kind: 'submit', pick: 0, more: 0 },
  ],
};

describe('the law of explanation', () => {
  it('starts the workload when its change is made, for it alone', () => {
    let tried = 0;
    fc.assert(
      fc.property(anyStory, fc.nat(), ({ world, happenings }, pick) => {
        const waiting = pendingOf(new CoreStory(world).play(happenings), 'rest');
        const workload = waiting[pick % Math.max(1, waiting.length)];
        if (workload === undefined) return;
        const story = new CoreStory(world).play(happenings);
        pendingOf(story, 'rest');
        const verdict = story.scheduler.explain(workload, story.nowMs);
        if (verdict.kind !== 'pending' || verdict.change.length === 0) return;
        for (const other of story.scheduler.view().workloads) {
          const isInTheWay = other.id !== workload && (other.state === 'pending' || other.state === 'evicting');
          if (isInTheWay) story.tell({ kind: 'workload-cancelled', workload: other.id });
        }
        const before = story.decisions.length;
        keepFromGrowing(story, workload);
        story.rest();
        // Else the change would be tried on another state than was asked about.
        const resized = story.decisions.slice(before).filter((one) => {
          return one.kind === 'grow' || (one.kind === 'shrink' && one.for === undefined);
        });
        expect(resized).toEqual([]);
        const asked = makeChanges(story, workload, verdict.change);
        story.rest();
        tried++;
        const state = story.scheduler.view().workloads.find(({ id }) => id === asked)?.state;
        expect({ change: verdict.change, state }).toEqual({ change: verdict.change, state: 'starting' });
      }),
      { ...lawCases(80), examples: [[besideBelowMinimum, 0]] },
    );

    // The example, and others.
    expect(tried).toBeGreaterThan(1);
  });

  it('names a constraint for every workload that waits, and none for others', () => {
    fc.assert(
      fc.property(anyStory, ({ world, happenings }) => {
        const story = new CoreStory(world).play(happenings);
        const waiting = pendingOf(story, 'as-it-is');
        for (const { id, state } of story.scheduler.view().workloads) {
          const { kind } = story.scheduler.explain(id, story.nowMs);
          if (state !== 'pending') expect(kind).toBe('not-pending');
          else if (waiting.includes(id)) expect(kind).toBe('pending');
        }
      }),
      lawCases(40),
    );
  });
});

function pendingOf(story: CoreStory, when: 'rest' | 'as-it-is'): readonly string[] {
  if (when === 'rest') story.rest();
  const { workloads } = story.scheduler.snapshot();
  return workloads
    .filter(({ state, cancelRequested, inFlight }) => state === 'pending' && !cancelRequested && inFlight === undefined)
    .map(({ spec }) => spec.id);
}

/**
 * What comes free is for the one that asked alone; an elastic gang would grow as soon as others are out of its way. So
 * it may have no more than it has, its pods that have succeeded included, also below its minimum: told of more it would
 * not wait until it may grow. Not one in a pause, in which it stays as it is: told of other counts it would leave it, and
 * might end.
 */
function keepFromGrowing(story: CoreStory, asked: string): void {
  const { workloads, pods } = story.scheduler.snapshot();
  for (const { spec, state, incarnation, pause, membership } of workloads) {
    if (spec.id === asked || (state !== 'starting' && state !== 'running') || pause !== undefined) continue;
    const has = (podSet: string): number =>
      pods.filter(({ seat: { pod }, claim }) => {
        return pod.workload === spec.id && pod.incarnation === incarnation && pod.podSet === podSet && claim !== 'none';
      }).length + (membership.done[podSet] ?? 0);
    const counts = spec.podSets.flatMap(({ name, count, minCount, topology }) => {
      // Counts are whole slices, and so is growth: what is left of a slice does not become a whole one.
      const size = topology?.kind === 'slice' ? topology.size : 1;
      const most = Math.ceil(has(name) / size) * size;
      return most < count ? [[name, { count: most, minCount: Math.min(minCount, most) }] as const] : [];
    });
    if (counts.length === 0) continue;
    story.tell({ kind: 'workload-changed', workload: spec.id, change: { counts: Object.fromEntries(counts) } });
  }
}

/** Makes the changes as their owners would; the id under which the workload then waits. */
function makeChanges(story: CoreStory, workload: string, changes: readonly Change[]): string {
  let spec = story.scheduler.snapshot().workloads.find((record) => record.spec.id === workload)?.spec;
  for (const change of changes) if (spec !== undefined) spec = makeChange(story, spec, change);
  return spec?.id ?? workload;
}

function makeChange(story: CoreStory, spec: WorkloadSpec, change: Change): WorkloadSpec {
  switch (change.kind) {
    case 'lift-hold':
      story.tell({ kind: 'workload-changed', workload: spec.id, change: { hold: false } });
      return { ...spec, hold: false };
    case 'raise-priority':
      story.tell({ kind: 'workload-changed', workload: spec.id, change: { priority: change.to } });
      return { ...spec, priority: change.to };
    case 'finish-dependency':
      throw new Error('no workload of these worlds depends on another');
    case 'raise-quota':
      raiseQuota(story, change);
      return spec;
    case 'heal-nodes':
      for (const node of change.nodes) {
        // Also a node that only refused its pods is news when it comes back.
        story.tell({ kind: 'node-state-changed', node, state: 'suspect', cause: 'test' });
        story.tell({ kind: 'node-state-changed', node, state: 'healthy', cause: 'test' });
        // Its own pods, which it lost there, go as soon as the node answers; until then it may not start again.
        for (const { seat } of story.ledger.podsOf(spec.id)) if (seat.node === node) story.endGoneOf(seat.pod);
      }
      return spec;
    case 'end-workloads': {
      const records = story.scheduler.snapshot().workloads;
      // All at once: between one end and the next an elastic gang would grow.
      for (const workload of change.workloads) {
        // The end of one cancelled before may have been refused; another word of its owner has it tried again at once.
        const isCancelled = records.some(({ spec: { id }, cancelRequested }) => id === workload && cancelRequested);
        story.tell(
          isCancelled ? { kind: 'workload-changed', workload, change: {} } : { kind: 'workload-cancelled', workload },
        );
      }
      story.rest();
      for (const { seat } of change.workloads.flatMap((workload) => story.ledger.podsOf(workload))) {
        const state = story.scheduler.view().nodes.find(({ name }) => name === seat.node)?.state;
        if (state !== 'lost') story.endGoneOf(seat.pod);
      }
      return spec;
    }
    case 'drop-requirement':
      return submitAgain(story, spec, {
        name: change.podSet,
        to: ({ topology, ...podSet }) =>
          change.requirement === 'topology'
            ? podSet
            : { ...podSet, ...(topology === undefined ? {} : { topology }), nodeSelector: {} },
      });
    case 'ask-less':
      return submitAgain(story, spec, {
        name: change.podSet,
        to: (podSet) => ({ ...podSet, count: change.count, minCount: Math.min(podSet.minCount, change.count) }),
      });
    case 'free-devices':
      throw new Error('is not proposed yet');
  }
}

function submitAgain(
  story: CoreStory,
  spec: WorkloadSpec,
  { name, to }: { readonly name: string; readonly to: (podSet: PodSetSpec) => PodSetSpec },
): WorkloadSpec {
  const podSets = spec.podSets.map((podSet) => (podSet.name === name ? to(podSet) : podSet));
  const again = { ...spec, id: `${spec.id}+`, podSets, incarnation: 0 };
  story.tell({ kind: 'workload-cancelled', workload: spec.id });
  story.tell({ kind: 'workload-submitted', workload: again });
  return again;
}

function raiseQuota(story: CoreStory, { queue, flavor, milli }: Change & { readonly kind: 'raise-quota' }): void {
  const spec = story.queues.find(({ name }) => name === queue);
  if (spec === undefined) return;
  const quota = spec.quotas[flavor];
  const quotas = { ...spec.quotas, [flavor]: { ...quota, nominal: (quota?.nominal ?? 0) + milli } };
  const raised = { ...spec, quotas };
  story.queues = story.queues.map((other) => (other.name === queue ? raised : other));
  story.tell({ kind: 'queue-set', queue: raised });
}
