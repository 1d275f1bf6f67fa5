import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Observation } from '../../src/cluster/cluster.js';
import { appendAudit } from '../../src/server/audit/audit-entry.js';
import { WorkloadCommands } from '../../src/server/workloads/workload-commands.js';
import { WorkloadReader } from '../../src/server/workloads/workload-reader.js';
import { aNode, aWorkload } from '../support/fleet-builders.js';
import { eventually, LedgerRig, podsStarted } from '../support/ledger-rig.js';

let rig: LedgerRig;
beforeEach(async () => {
  rig = await LedgerRig.open();
  await rig.see(aNode('node-1'));
});
afterEach(() => rig.close());

/** Two pods of a gang in Kubernetes, as a driver tells of them. */
function found(wish: { readonly queue?: string; readonly gpus?: number; readonly priority?: number } = {}) {
  const workload = randomUUID();
  const { queue = 'lab', gpus = 2, priority = 0 } = wish;
  const pods = ['a', 'b'].map((name) => ({ namespace: 'ns', name: `web-${name}`, uid: randomUUID() }));
  const spec = aWorkload(workload, {
    name: 'ns/web',
    queue,
    priority,
    kind: 'pods',
    maxRetries: 0,
    isFound: true,
    submittedAtMs: 1_000_000,
    pods: { name: 'pods', count: 2, minCount: 2, gpus },
  });
  return { kind: 'workload-found', workload, spec, team: 'lab', pods: { pods } } as const satisfies Observation;
}

describe('a workload that was found', () => {
  it('is started by binding the pods that it was found with', async () => {
    const web = found();
    await rig.observe(web);
    const started = podsStarted(await rig.settle(), web.workload);
    expect(started).toHaveLength(2);
    const intents = await rig.ledger.dueIntents(10);
    expect(intents.map(({ kind }) => kind)).toEqual(['bind-pod', 'bind-pod']);
    expect(intents.map((intent) => (intent.kind === 'bind-pod' ? intent.found : undefined))).toEqual(web.pods.pods);
  });

  it('is known to whoever leads next, as it was understood', async () => {
    const web = found();
    await rig.observe(web);
    await rig.settle();
    const { nodes, queues, workloads } = rig.session.view();
    await rig.lead();
    expect(rig.session.view()).toEqual({ nodes, queues, workloads });
    const { view } = await rig.ledger.load();
    expect(view.found).toEqual([{ workload: web.workload, pods: web.pods }]);
    const slots = [
      [0, 1],
      [2, 3],
    ];
    expect(view.placed).toEqual(
      web.pods.pods.map(({ uid }, index) => {
        return { uid, pod: podsOf(web.workload)[index], node: 'node-1', slots: slots[index] };
      }),
    );
  });

  it('is known without its pods that have ended, which nobody has to keep', async () => {
    const web = found();
    await rig.observe(web);
    const started = podsStarted(await rig.settle(), web.workload);
    await rig.startPods(started);
    await rig.succeedPods(started.filter(({ index }) => index === 0));
    const { view } = await rig.ledger.load();
    expect(view.found).toEqual([{ workload: web.workload, pods: { pods: web.pods.pods.slice(1) } }]);
    expect(view.placed).toMatchObject([{ uid: web.pods.pods[1]?.uid, pod: { index: 1 } }]);
  });

  it('changes nothing when it is told again, and is none after its end', async () => {
    const web = found();
    await rig.observe(web, web);
    expect(await rig.ledger.observe(rig.leadership, [web])).toEqual(new Set());
    await rig.succeedPods(podsStarted(await rig.settle(), web.workload));
    await rig.settle();
    expect(await rig.workload(web.workload)).toMatchObject({ state: 'succeeded' });
    expect(await rig.ledger.observe(rig.leadership, [web])).toEqual(new Set([web.workload]));
    const audited = await rig.query(`SELECT action FROM audit WHERE actor = 'kubernetes'`);
    expect(audited).toEqual([{ action: 'workload.find' }]);
  });

  it('is none where its queue is gone', async () => {
    const web = found({ queue: 'gone' });
    expect(await rig.ledger.observe(rig.leadership, [web])).toEqual(new Set([web.workload]));
    expect(await rig.query('SELECT FROM workloads')).toEqual([]);
  });

  it('may have the name of another', async () => {
    const [one, other] = [found(), found()];
    await rig.observe(one, other);
    expect(await rig.query('SELECT name FROM workloads')).toEqual([{ name: 'ns/web' }, { name: 'ns/web' }]);
  });

  it('ends when its pods are taken back, before it runs and while it does', async () => {
    const [waiting, running] = [found({ gpus: 8 }), found()];
    await rig.observe(running);
    await rig.startPods(podsStarted(await rig.settle(), running.workload));
    await rig.observe(waiting);
    await rig.settle();
    for (const { workload } of [waiting, running]) {
      await rig.observe({ kind: 'workload-withdrawn', workload, why: 'Pod web-a was deleted.' });
    }
    await rig.settle();
    expect(await rig.workload(waiting.workload)).toMatchObject({ state: 'cancelled' });
    expect(await rig.workload(running.workload)).toMatchObject({ state: 'evicting' });
    const deletions = (await rig.ledger.dueIntents(10)).filter(({ kind }) => kind === 'delete-pod');
    await rig.observe(...deletions.map(({ pod }) => ({ kind: 'pod-gone' as const, pod })));
    await rig.settle();
    expect(await rig.workload(running.workload)).toMatchObject({ state: 'cancelled' });
  });

  it('ends when it is evicted, since nobody makes its pods again', async () => {
    const web = found({ gpus: 4 });
    await rig.observe(web);
    const pods = podsStarted(await rig.settle(), web.workload);
    await rig.startPods(pods);
    rig.clock.nowMs += 3_600_000;
    await rig.submit('urgent', { devices: 8, priority: 9 });
    await rig.settle();
    await rig.observe(...pods.map((pod) => ({ kind: 'pod-gone' as const, pod })));
    await rig.settle();
    expect(await rig.workload(web.workload)).toMatchObject({ state: 'cancelled' });
  });

  it('has ended for the driver, too, so that another is made of the pods of it that still wait', async () => {
    const web = found();
    await rig.observe(web);
    const [first] = podsStarted(await rig.settle(), web.workload);
    const intent = (await rig.ledger.dueIntents(10)).find(({ pod }) => pod.index === first?.index);
    if (first === undefined || intent === undefined) throw new Error('it has started');
    const refusal = { why: 'pod web-a was bound to node x by somebody else', retry: 'never' } as const;
    await rig.ledger.settleIntents(rig.leadership, [{ id: intent.id, outcome: { kind: 'refused', ...refusal } }]);
    rig.session.refuse({ kind: 'pod-refused', pod: first, ...refusal });
    await rig.settle();
    await rig.observe({ kind: 'pod-gone', pod: { ...first, index: 1 } });
    const { sets } = rig.session.decide();
    expect(rig.session.endsIn(sets)).toEqual([web.workload]);
    expect(rig.session.endsIn(sets)).toEqual([]);
  });

  it('is deleted again when a pod was bound that nothing counts any more', async () => {
    const web = found();
    await rig.observe(web);
    const [pod] = podsStarted(await rig.settle(), web.workload);
    if (pod === undefined) throw new Error('it has started');
    await rig.observe({ kind: 'workload-withdrawn', workload: web.workload, why: 'Pod web-b was deleted.' });
    await rig.settle();
    const deletions = (await rig.ledger.dueIntents(10)).map(({ id }) => ({ id, outcome: { kind: 'done' } as const }));
    await rig.ledger.settleIntents(rig.leadership, deletions);
    await rig.observe(...podsOf(web.workload).map((each) => ({ kind: 'pod-gone' as const, pod: each })));
    expect(await rig.ledger.dueIntents(10)).toEqual([]);
    await rig.observe({ kind: 'pod-bound', pod });
    expect(await rig.ledger.dueIntents(10)).toMatchObject([{ kind: 'delete-pod', pod, isStray: true }]);
  });

  it('comes and is taken back beside somebody who cancels one of its team, and neither waits for ever', async () => {
    const [web, next] = [found(), found()];
    await rig.observe(web);
    const other = rig.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('SELECT FROM workloads WHERE uid = $1 FOR UPDATE', [web.workload]);
    const withdrawal = { kind: 'workload-withdrawn', workload: web.workload, why: 'Pod web-a was deleted.' } as const;
    const observed = rig.observe(next, withdrawal);
    await eventually(async () => {
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await rig.query(waiting)).length > 0;
    });
    const entry = { chain: 'team:lab', actor: 'tester', action: 'workload.cancel', subject: 'workload/web' };
    await appendAudit(other.manager, entry);
    await other.commitTransaction();
    await other.release();
    await observed;
    const audited = await rig.query<{ action: string }>(
      `SELECT action FROM audit WHERE chain = 'team:lab' ORDER BY number`,
    );
    const actions = ['workload.find', 'workload.cancel', 'workload.find', 'workload.withdraw'];
    expect(audited.map(({ action }) => action)).toEqual(actions);
  });

  it('is not cancelled here, and is shown with the pods in Kubernetes', async () => {
    const web = found();
    await rig.observe(web);
    await rig.settle();
    expect(await new WorkloadCommands(rig.dataSource).cancel(web.workload, 'tester')).toEqual({ kind: 'found' });
    const shown = await new WorkloadReader(rig.dataSource).find(web.workload);
    expect(shown).toMatchObject({ metadata: { name: 'ns/web', namespace: 'lab', createdBy: 'kubernetes' } });
    expect(shown?.status.pods.map((pod) => pod.found)).toEqual(web.pods.pods);
  });
});

function podsOf(workload: string) {
  return [0, 1].map((index) => ({ workload, incarnation: 1, podSet: 'pods', index }));
}
