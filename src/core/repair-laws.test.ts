import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { CoreRig, setsOf } from '../../test/support/core-rig.js';
import { anyQueues } from '../../test/support/core-world.js';
import { aWorkload } from '../../test/support/fleet-builders.js';
import { faultOfRepair } from '../../test/support/naive-repair.js';
import { hasRightOver } from '../../test/support/naive-rights.js';
import type { Started } from '../../test/support/naive-scheduler.js';
import {
  anyBorrowers,
  anyOrder,
  anyPlainNodes,
  anyPlainWorkload,
  plainRig,
  startedIn,
} from '../../test/support/plain-world.js';
import type { Decision, NodeSpec, PodRef, QueueSpec, WorkloadSpec } from './index.js';

/** What befalls a node, or the first pod on it: with `pick` of those that there are. */
const anyLoss = fc.record({ kind: fc.constantFrom('lost', 'lost', 'removed', 'pod-gone'), pick: fc.nat(5) });

describe('repair, against counting', () => {
  it('comes before all that is new, keeps the seats that it can, and fails only where there is no place or quota', () => {
    let repaired = 0;
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          tree: anyQueues,
          early: fc.array(anyPlainWorkload, { minLength: 1, maxLength: 8 }),
          late: fc.array(anyPlainWorkload, { maxLength: 4 }),
          losses: fc.array(anyLoss, { minLength: 1, maxLength: 3 }),
          order: anyOrder,
        }),
        ({ nodes, tree, early, late, losses, order }) => {
          const queues = tree.map((queue): QueueSpec => ({
            ...queue,
            weight: 1,
            reclaim: 'never',
            withinQueue: 'never',
          }));
          const rig = plainRig({ nodes, queues }, order);
          const workloads = [...early, ...late].map((spec, index) => aWorkload(`w${index}`, spec));
          rig.submit(...workloads.slice(0, early.length));
          const running = startedIn(rig.settle(), workloads);
          rig.submit(...workloads.slice(early.length));
          const lost = losses.flatMap(({ kind, pick }) => lose(rig, { node: nodes[pick % nodes.length], kind }));
          const ends = commit(rig, rig.decide().decisions);
          const evicted = running.filter(({ spec }) => ends.some(({ workload }) => workload === spec.id));
          if (evicted.length === 0) return;
          expect(ends.map(({ kind }) => kind)).toEqual(ends.map(() => 'evict'));
          const starts = startedIn(rig.decide().decisions, workloads);
          const before = { order, nodes, queues, running, pending: [] };
          expect(faultOfRepair(before, { evicted, lost: new Set(lost), starts })).toBeUndefined();
          repaired += starts.filter(({ spec }) => evicted.some((one) => one.spec === spec)).length;
        },
      ),
      lawCases(120),
    );
    expect(repaired).toBeGreaterThan(0);
  });
});

const MINUTE = 60_000;

const anyEstimated = fc
  .tuple(anyPlainWorkload, fc.constantFrom(undefined, undefined, MINUTE, 10 * MINUTE))
  .map(([workload, estimateMs]) => (estimateMs === undefined ? workload : { ...workload, estimateMs }));

describe('repair, where others have rights and plans', () => {
  it('starts nobody whose place is taken back at once, and makes no planned start of a higher priority later', () => {
    const seen = { repaired: 0, givenBack: 0, late: 0 };
    fc.assert(
      fc.property(
        fc.record({
          nodes: anyPlainNodes,
          queues: fc.oneof(anyBorrowers, anyQueues),
          early: fc.array(anyEstimated, { minLength: 1, maxLength: 8 }),
          late: fc.array(anyEstimated, { minLength: 1, maxLength: 5 }),
          losses: fc.array(anyLoss, { minLength: 1, maxLength: 3 }),
          minRuntimeMs: fc.constantFrom(0, 5 * MINUTE),
        }),
        ({ nodes, queues, early, late, losses, minRuntimeMs }) => {
          const owning = queues.map((queue): QueueSpec => ({ ...queue, reclaim: 'any' }));
          const rig = plainRig({ nodes, queues: owning }, 'fair', { minRuntimeMs, depth: 1 });
          const specs = [...early, ...late].map((spec, index) => aWorkload(`w${index}`, spec));
          rig.submit(...specs.slice(0, early.length));
          rig.settle();
          rig.nowMs = 10_000;
          rig.submit(...specs.slice(early.length));
          rig.settle();
          rig.nowMs = 20_000;
          rig.settle();
          const before = plansOf(rig);
          const running = new Map(specs.map(({ id }) => [id, rig.nodesOf(id)]));
          for (const { kind, pick } of losses) lose(rig, { node: nodes[pick % nodes.length], kind });
          const ends = commit(rig, rig.decide().decisions);
          const standing = plansOf(rig);
          const unrepaired = rig.scheduler.snapshot();
          const settled = commit(rig, rig.decide().decisions);
          const repaired = startedIn(
            settled.filter(({ because }) => because.rule === 'repaired'),
            specs,
          );
          seen.givenBack += ends.length - repaired.length;
          if (repaired.length === 0) return;
          seen.repaired += repaired.length;
          const after = plansOf(rig);
          for (const [id, plan] of before) {
            const planned = specs.find((spec) => spec.id === id);
            const isLate = (after.get(id)?.startMs ?? Infinity) > plan.startMs && rig.stateOf(id) === 'pending';
            if (!isLate || planned === undefined) continue;
            seen.late++;
            // An owner may delay a borrower of another queue, and who has ended by then is in nobody's way.
            const lower = repaired.filter(({ spec, seats }) => {
              const former = running.get(spec.id) ?? {};
              const isOnIt = seats.some(({ node }) => former[node] === undefined && plan.nodes.has(node));
              const isInTime = rig.nowMs + (spec.estimateMs ?? Infinity) <= plan.startMs;
              return isOnIt && !isInTime && spec.queue === planned.queue && spec.priority < planned.priority;
            });
            const blamed = lower.map(({ spec }) => spec.id);
            const without = CoreRig.restored(unrepaired, rig.nowMs);
            // A higher priority may have made it late before: then what that leaves over is for anybody.
            if (blamed.length > 0 && startsBy(without, { id, startMs: plan.startMs, held: blamed })) {
              throw new Error(`${blamed.join(', ')} has taken a node from the planned start of ${id}`);
            }
          }
          // Nobody is protected any more: whoever could take a place back does so.
          const { policy } = rig.scheduler.snapshot();
          rig.tell({
            kind: 'policy-set',
            policy: { ...policy, preemption: { ...policy.preemption, minRuntimeMs: 0 } },
          });
          const evictions = rig.decide().decisions.filter((one) => one.kind === 'evict');
          for (const by of specs) {
            const victims = evictions.filter((one) => one.for === by.id).map(({ workload }) => workload);
            const [victim] = repaired.filter(({ spec }) => spec.id === victims[0]);
            // In one queue the order leads, unless a start is still planned when the gang has ended.
            const isClaim = by.queue !== victim?.spec.queue || standing.has(by.id);
            if (victims.length !== 1 || victim === undefined || !isClaim) continue;
            // Who was started after it may have made its queue borrow more: only then could it be taken from.
            const then = { order: 'fair' as const, nodes, queues: owning, running: runningAt(rig, specs, victim) };
            if (hasRightOver({ ...then, pending: [] }, by, victim)) {
              throw new Error(`${by.id} takes back what ${victim.spec.id} got`);
            }
          }
        },
      ),
      lawCases(120),
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
  });
});

/** Does it start by then, as far as is planned, when these are given back instead of being repaired? */
function startsBy(
  rig: CoreRig,
  { id, startMs, held }: { readonly id: string; readonly startMs: number; readonly held: readonly string[] },
): boolean {
  for (const workload of held) rig.tell({ kind: 'workload-changed', workload, change: { hold: true } });
  rig.decide();
  const { state, plannedStartMs = Infinity } = rig.view().workloads.find((workload) => workload.id === id) ?? {};
  return state !== 'pending' || plannedStartMs <= startMs;
}

/** Who ran when this one was started, with it: by all that had been decided. */
function runningAt(
  { decisions }: CoreRig,
  specs: readonly WorkloadSpec[],
  { seats: last }: Started,
): readonly Started[] {
  const running = new Map<string, Started>();
  for (const decision of [...decisions].sort((a, b) => a.id - b.id)) {
    if (decision.kind === 'evict') running.delete(decision.workload);
    for (const started of startedIn([decision], specs)) running.set(started.spec.id, started);
    if (decision.kind === 'start' && decision.seats === last) break;
  }
  return [...running.values()];
}

/** The starts that are planned, as they were told last. */
function plansOf({ decisions }: CoreRig): ReadonlyMap<string, { startMs: number; nodes: ReadonlySet<string> }> {
  const plans = new Map<string, { startMs: number; nodes: ReadonlySet<string> }>();
  for (const decision of decisions) {
    const { kind, workload } = decision;
    if (kind === 'unplan' || kind === 'start') plans.delete(workload);
    if (kind !== 'plan' || decision.holds === 'standing') continue;
    plans.set(workload, { startMs: decision.startMs, nodes: new Set(decision.seats.map(({ node }) => node)) });
  }
  return plans;
}

/** Names of the node, when it takes no more work, or of the pod that has gone. */
function lose(
  rig: CoreRig,
  { node, kind }: { readonly node: NodeSpec | undefined; readonly kind: 'lost' | 'removed' | 'pod-gone' },
): readonly string[] {
  if (node === undefined) return [];
  if (kind !== 'pod-gone') {
    if (kind === 'lost') rig.nodeState(node.name, kind);
    else rig.tell({ kind: 'node-removed', node: node.name });
    return [node.name];
  }
  const seats = rig.decisions.flatMap((decision) => (decision.kind === 'start' ? decision.seats : []));
  const pod = seats.find((seat) => seat.node === node.name)?.pod;
  if (pod === undefined) return [];
  rig.goPods([pod]);
  return [podName(pod)];
}

function commit(rig: CoreRig, decisions: readonly Decision[]): readonly Decision[] {
  for (const set of setsOf(decisions)) rig.tell({ kind: 'set-committed', set });
  return decisions.filter(({ kind }) => kind !== 'wait' && kind !== 'plan' && kind !== 'unplan');
}

function podName({ workload, index }: PodRef): string {
  return `${workload}/${index}`;
}
