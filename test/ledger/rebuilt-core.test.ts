import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Observation } from '../../src/cluster/cluster.js';
import { DEFAULT_POLICY, isForDisplay, type PodRef, type Policy } from '../../src/core/index.js';
import { NodeCommands } from '../../src/server/fleet/node-commands.js';
import { lawCases } from '../support/core-laws.js';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig, podsStarted } from '../support/ledger-rig.js';

const NODES = ['node-1', 'node-2', 'node-3'];
const KINDS = [
  'submit',
  'submit',
  'cancel',
  'settle',
  'settle',
  'settle',
  'start-all',
  'succeed-workload',
  'fail-pod',
  'gone-all',
  'refuse-pod',
  'wait',
  'node-lost',
  'node-heals',
  'node-fenced',
  'node-removed',
  'node-seen',
  'foreign-use',
] as const;

/** A story is hundreds of transactions: few in `npm test`, and at most so many in a deep run. */
const STORIES = { usual: 30, most: 300 };

/**
 * Nobody is protected, so that priorities take from one another all the time. Nothing is planned: plans are advice and
 * in no ledger, and a core that plans otherwise lets others go ahead.
 */
const EAGER: Policy = {
  ...DEFAULT_POLICY,
  backfill: { ...DEFAULT_POLICY.backfill, depth: 0 },
  preemption: { ...DEFAULT_POLICY.preemption, minRuntimeMs: 0, brake: { evictions: 1000, windowMs: 1000 } },
};

const anyHappening = fc.record({ kind: fc.constantFrom(...KINDS), pick: fc.nat(1000), more: fc.nat(1000) });
type Happening = typeof anyHappening extends fc.Arbitrary<infer Value> ? Value : never;

/** Claims and occupancies of pods, and charges of workloads, against what the triggers counted. */
const BROKEN_BOOKS = `
SELECT 'slot ' || s.node || '/' || s.slot AS what FROM slots s
LEFT JOIN LATERAL (SELECT coalesce(sum(ps.milli) FILTER (WHERE p.claimed), 0) AS claimed,
    coalesce(sum(ps.milli) FILTER (WHERE p.occupied), 0) AS occupied
  FROM pod_slots ps JOIN pods p ON p.name = ps.pod WHERE ps.node = s.node AND ps.slot = s.slot) h ON true
WHERE (s.claimed_milli, s.occupied_milli) <> (h.claimed, h.occupied)
UNION ALL
SELECT 'node ' || n.name FROM nodes n
LEFT JOIN LATERAL (SELECT coalesce(sum(cpu_milli) FILTER (WHERE claimed), 0) AS cpu,
    count(*) FILTER (WHERE claimed) AS pods, count(*) FILTER (WHERE occupied) AS occupied
  FROM pods p WHERE p.node = n.name) h ON true
WHERE (n.cpu_claimed, n.pods_claimed, n.pods_occupied) <> (h.cpu, h.pods, h.occupied)
UNION ALL
SELECT 'use of ' || u.queue FROM queue_usage u
WHERE u.used <> (SELECT coalesce(sum(milli), 0) FROM charges c WHERE c.queue = u.queue AND c.flavor = u.flavor)
UNION ALL
SELECT 'charges of ' || w.name FROM workloads w
WHERE (SELECT coalesce(sum(milli), 0) FROM charges c WHERE c.workload = w.uid) <> (
  SELECT coalesce(sum(ps.milli), 0) FROM pods p JOIN pod_slots ps ON ps.pod = p.name WHERE p.workload = w.uid AND p.claimed)
UNION ALL
SELECT 'end of ' || w.name FROM workloads w
WHERE w.finished_at IS NOT NULL AND EXISTS (SELECT FROM pods p WHERE p.workload = w.uid AND p.claimed)`;

describe('a core rebuilt from the ledger', () => {
  let rig: LedgerRig;
  beforeAll(async () => {
    rig = await LedgerRig.open(EAGER);
  });
  afterAll(() => rig.close());

  it('does not run again what had succeeded just before', async () => {
    await rig.see(...NODES.map((name) => aNode(name)));
    const uid = await rig.submit('done', { pods: 2 });
    const pods = podsStarted(await rig.settle(), uid);
    await rig.startPods(pods);
    await rig.succeedPods(pods);
    await rig.lead();
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'succeeded', incarnation: 1 });
  });

  it('knows no cordon of a node that was removed and came back', async () => {
    await rig.see(aNode('node-9'));
    await new NodeCommands(rig.dataSource).order('node-9', 'cordon', 'tester');
    await rig.takeCommands();
    await rig.observe({ kind: 'node-removed', node: 'node-9' }, { kind: 'node-seen', node: aNode('node-9') });
    const [row] = await rig.query('SELECT unschedulable FROM nodes WHERE name = $1', ['node-9']);
    expect(row).toEqual({ unschedulable: false });
    expect(takingWork(rig)).toContain('node-9');
    await rig.lead();
    expect(takingWork(rig)).toContain('node-9');
    await rig.observe({ kind: 'node-removed', node: 'node-9' });
  });

  it('leaves to others what they take, and hears when they have gone', async () => {
    const node = 'node-8';
    await rig.observe(...NODES.map((name) => ({ kind: 'node-removed' as const, node: name })));
    await rig.observe(...backAndEmpty(node), foreignUse(node, { cpuMilli: 7500, slots: [3] }));
    await rig.lead();
    const uid = await rig.submit('beside', { devices: 1 });
    expect(podsStarted(await rig.settle(), uid)).toEqual([]);
    expect(rig.session.view().nodes.find(({ name }) => name === node)?.freeMilli).toEqual([1000, 1000, 1000, 0]);
    await rig.observe(foreignUse(node, { cpuMilli: 0 }));
    const pods = podsStarted(await rig.settle(), uid);
    expect(pods).toHaveLength(1);
    await rig.startPods(pods);
    await rig.succeedPods(pods);
    await rig.observe({ kind: 'node-removed', node });
  });

  it('knows nothing of others on a node that was removed and came back', async () => {
    const node = 'node-7';
    await rig.observe(...backAndEmpty(node), foreignUse(node, { slots: [0] }), { kind: 'node-removed', node });
    await rig.see(aNode(node, { devices: 2, cpu: 8 }));
    const free = (): unknown => rig.session.view().nodes.find(({ name }) => name === node)?.freeMilli;
    expect(free()).toEqual([1000, 1000]);
    await rig.lead();
    expect(free()).toEqual([1000, 1000]);
    await rig.observe({ kind: 'node-removed', node });
  });

  it('believes what the last one believed, and has nothing to add, whatever happened', async () => {
    let stories = 0;
    const evictions = async (): Promise<number> =>
      (await rig.query(`SELECT FROM decisions WHERE body ->> 'reason' = 'preempted'`)).length;
    const law = fc.asyncProperty(fc.array(anyHappening, { minLength: 10, maxLength: 30 }), async (happenings) => {
      stories += 1;
      await rig.observe(...NODES.flatMap((node) => backAndEmpty(node)));
      for (const [step, happening] of happenings.entries()) await happen(rig, happening, `job-${stories}-${step}`);
      await rig.settle();
      expect(await rig.query(BROKEN_BOOKS)).toEqual([]);
      const present = rig.session.view();
      await rig.lead();
      expect((await rig.settle()).filter((decision) => !isForDisplay(decision))).toEqual([]);
      expect(rig.session.view()).toEqual(present);
    });
    const { usual, most } = STORIES;
    const cases = lawCases(usual);
    await fc.assert(law, { ...cases, numRuns: Math.min(cases.numRuns, most) });
    expect(await evictions()).toBeGreaterThan(0);
  });
});

function takingWork(rig: LedgerRig): readonly string[] {
  return rig.session.view().nodes.flatMap(({ name, takesWork }) => (takesWork ? [name] : []));
}

function backAndEmpty(node: string): readonly Observation[] {
  return [
    { kind: 'node-seen', node: aNode(node, { devices: 4, cpu: 8 }) },
    { kind: 'node-state-changed', node, state: 'healthy', cause: '' },
    foreignUse(node, { cpuMilli: 0 }),
  ];
}

/** What pods of others take of a node. */
function foreignUse(node: string, { cpuMilli = 1000, slots = [] as readonly number[] }): Observation {
  return { kind: 'foreign-use-seen', node, use: { cpuMilli, memoryMib: 0, pods: cpuMilli === 0 ? 0 : 1 }, slots };
}

async function happen(rig: LedgerRig, { kind, pick, more }: Happening, name: string): Promise<void> {
  const pods = await occupants(rig);
  const pod = pods[pick % Math.max(1, pods.length)];
  const node = NODES[pick % NODES.length] ?? '';
  switch (kind) {
    case 'submit':
      await rig.submit(name, {
        pods: 1 + (pick % 3),
        devices: 1 + (more % 3),
        maxRetries: more % 2,
        priority: (pick + more) % 4,
      });
      return;
    case 'cancel': {
      const unfinished = await rig.query<{ uid: string }>(
        'SELECT uid FROM workloads WHERE finished_at IS NULL ORDER BY created_at',
      );
      const workload = unfinished[pick % Math.max(1, unfinished.length)];
      if (workload !== undefined) await rig.cancel(workload.uid);
      return;
    }
    case 'settle':
      await rig.settle();
      return;
    case 'wait':
      rig.clock.nowMs += more * 30;
      return;
    case 'start-all':
      await rig.startPods(pods);
      return;
    case 'gone-all':
      await rig.observe(...pods.map((one) => ({ kind: 'pod-gone' as const, pod: one })));
      return;
    case 'succeed-workload':
      await rig.succeedPods(pods.filter(({ workload }) => workload === pod?.workload));
      return;
    case 'fail-pod': {
      if (pod === undefined) return;
      const exitCode = [1, 65, 75][more % 3] ?? 1;
      await rig.observe({ kind: 'pod-ended', pod, outcome: 'failed', blame: 'workload', exitCode });
      if (pick % 2 === 0) await rig.observe({ kind: 'pod-gone', pod });
      return;
    }
    case 'refuse-pod':
      await refuseOne(rig);
      return;
    case 'node-lost':
      await rig.observe({ kind: 'node-state-changed', node, state: 'lost', cause: 'test' });
      return;
    case 'node-heals':
      await rig.observe({ kind: 'node-state-changed', node, state: 'healthy', cause: '' });
      return;
    case 'node-fenced':
      await rig.observe({ kind: 'node-fenced', node });
      return;
    case 'node-removed':
      await rig.observe({ kind: 'node-removed', node });
      return;
    case 'node-seen':
      await rig.observe({ kind: 'node-seen', node: aNode(node, { devices: 2 + (more % 3), cpu: 8 }) });
      return;
    case 'foreign-use': {
      // Up to more than the node has, on a device that it may have lost, or that a pod of ours has.
      const slots = more % 2 === 0 ? [] : [(more >> 1) % 4];
      await rig.observe(foreignUse(node, { cpuMilli: [0, 1000, 2000, 9000][pick % 4] ?? 0, slots }));
      return;
    }
  }
}

async function occupants(rig: LedgerRig): Promise<readonly PodRef[]> {
  return rig.query<PodRef>(
    `SELECT workload, incarnation, pod_set AS "podSet", index FROM pods WHERE occupied ORDER BY created_at, name`,
  );
}

/** The oldest pod that is to be created, refused for good. */
async function refuseOne(rig: LedgerRig): Promise<void> {
  const intent = (await rig.ledger.dueIntents(100)).find(({ kind }) => kind === 'create-pod');
  if (intent === undefined) return;
  const refusal = { why: 'test', retry: 'never' } as const;
  await rig.ledger.settleIntents(rig.leadership, [{ id: intent.id, outcome: { kind: 'refused', ...refusal } }]);
  rig.session.refuse({ kind: 'pod-refused', pod: intent.pod, ...refusal });
}
