import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendAudit } from '../../src/server/audit/audit-entry.js';
import { NodeCommands } from '../../src/server/fleet/node-commands.js';
import { StaleEpochError, type Command, type DecisionSet, type Leadership } from '../../src/server/scheduler/ledger.js';
import { podNameOf } from '../../src/server/scheduler/pod-name.js';
import { StatusReports } from '../../src/server/workloads/status-reports.js';
import { applyQuotaFile } from '../../src/server/quotas/apply-quota-file.js';
import { QuotaFileSchema } from '../../src/server/quotas/quota-file.schema.js';
import { WorkloadCommands } from '../../src/server/workloads/workload-commands.js';
import { API_VERSION, WorkloadDocumentSchema } from '../../src/server/workloads/workload.schema.js';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig, eventually, podsStarted } from '../support/ledger-rig.js';

let rig: LedgerRig;
beforeEach(async () => {
  rig = await LedgerRig.open();
  await rig.see(aNode('node-1'), aNode('node-2'));
});
afterEach(() => rig.close());

const FREE = { milli: 0, used: 0 };

/** What all slots and all queues hold together. */
async function held(): Promise<unknown> {
  const [row] = await rig.query(
    `SELECT (SELECT sum(claimed_milli + occupied_milli)::int FROM slots) AS milli,
       (SELECT coalesce(sum(used), 0)::int FROM queue_usage) AS used`,
  );
  return row;
}

async function decide(): Promise<readonly DecisionSet[]> {
  await rig.takeCommands();
  return rig.session.decide().sets;
}

describe('leadership', () => {
  it('is one term after the other, each with a higher epoch', async () => {
    const { ledger, leadership } = rig;
    expect(await ledger.campaign('other', 60_000)).toBeUndefined();
    await ledger.renew(leadership, 0); // expires at once
    const taken = await ledger.campaign('other', 60_000);
    expect(taken).toEqual({ epoch: leadership.epoch + 1, holder: 'other' });
    expect(await ledger.campaign('rig', 60_000)).toBeUndefined();
    await ledger.resign(leadership); // of a term that has ended: harmless
    expect(await ledger.campaign('rig', 60_000)).toBeUndefined();
    if (taken !== undefined) await ledger.resign(taken);
    expect(await ledger.campaign('rig', 60_000)).toEqual({ epoch: leadership.epoch + 2, holder: 'rig' });
  });

  it('begins a new term when its own holder comes again, and the old one is over', async () => {
    const old = rig.leadership;
    expect(await rig.ledger.campaign('rig', 60_000)).toEqual({ epoch: old.epoch + 1, holder: 'rig' });
    await expect(rig.ledger.renew(old, 60_000)).rejects.toThrow(StaleEpochError);
  });

  it('is free as soon as the session of its holder ends, long before its lease does', async () => {
    const { ledger, leadership } = rig;
    expect(await ledger.campaign('other', 60_000)).toBeUndefined();
    await rig.query(`SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.locktype = 'advisory' AND d.datname = current_database()`);
    let taken: Leadership | undefined;
    await eventually(async () => (taken = await ledger.campaign('other', 60_000)) !== undefined); // it takes a moment to end
    expect(taken).toEqual({ epoch: leadership.epoch + 1, holder: 'other' });
    await expect(ledger.renew(leadership, 60_000)).rejects.toThrow(StaleEpochError);
  });

  it('is renewed, and refused to others at once, while a long write of its term goes on', async () => {
    const { ledger, leadership } = rig;
    const writer = rig.dataSource.createQueryRunner();
    await writer.startTransaction();
    try {
      await writer.query('SELECT assert_epoch($1)', [leadership.epoch]);
      await ledger.renew(leadership, 60_000);
      expect(await ledger.campaign('other', 60_000)).toBeUndefined();
    } finally {
      await writer.rollbackTransaction();
      await writer.release();
    }
  });

  it('that was lost writes nothing more', async () => {
    await rig.submit('late');
    const sets = await decide();
    await rig.ledger.renew(rig.leadership, 0);
    await rig.ledger.campaign('other', 60_000);
    await expect(rig.commit(sets)).rejects.toThrow(StaleEpochError);
    await expect(rig.ledger.observe(rig.leadership, [])).rejects.toThrow(StaleEpochError);
    await expect(rig.ledger.settleIntents(rig.leadership, [])).rejects.toThrow(StaleEpochError);
    expect(await rig.query('SELECT FROM pods')).toEqual([]);
  });
});

describe('a commit', () => {
  it('follows a workload from its submission to its end', async () => {
    const uid = await rig.submit('mnist', { pods: 2, devices: 4 });
    const pods = podsStarted(await rig.settle(), uid);
    expect(await rig.workload(uid)).toMatchObject({ state: 'starting', incarnation: 1, started_at: null });
    expect(await held()).toEqual({ milli: 16_000, used: 8000 });
    await rig.startPods(pods);
    expect(await rig.workload(uid)).toMatchObject({ state: 'running', started_at: expect.any(Date) });
    await rig.succeedPods(pods);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'succeeded', reason: '', finished_at: expect.any(Date) });
    expect(await held()).toEqual(FREE);
    expect(
      await rig.query(`SELECT action, policy_version FROM audit WHERE chain = 'team:lab' ORDER BY number`),
    ).toEqual([
      { action: 'workload.create', policy_version: null },
      { action: 'workload.start', policy_version: 'default' },
      { action: 'workload.run', policy_version: null },
      { action: 'workload.finish', policy_version: 'default' },
    ]);
  });

  it('refuses a start on a node that was cordoned since, and leaves nothing of it', async () => {
    await rig.submit('job', { devices: 8 });
    const [set] = await decide();
    const at = set?.decisions.flatMap((d) => (d.kind === 'start' ? d.seats : []))[0]?.node ?? '';
    await new NodeCommands(rig.dataSource).order(at, 'cordon', 'tester');
    expect(await rig.commit(set === undefined ? [] : [set])).toEqual([
      { kind: 'refused', set: set?.set, why: 'node-state', at },
    ]);
    expect(await held()).toEqual(FREE);
    expect(await rig.query('SELECT FROM pods')).toEqual([]);
    expect(await rig.query('SELECT FROM decisions')).toEqual([]);
  });

  it('refuses what the quota of the queue no longer permits, and stores the rest', async () => {
    await rig.submit('first', { devices: 8 });
    await rig.submit('second', { devices: 8 });
    const sets = await decide();
    await rig.query(`UPDATE queue_quotas SET nominal = 8000 WHERE queue = 'lab'`);
    expect(await rig.commit(sets)).toMatchObject([{ kind: 'committed' }, { kind: 'refused', why: 'quota', at: 'all' }]);
    expect(await held()).toEqual({ milli: 16_000, used: 8000 });
  });

  it('refuses a slot that is given away already, and stores the sets before and after', async () => {
    for (const name of ['first', 'second', 'third']) await rig.submit(name);
    const [first, second, third] = await decide();
    if (first === undefined || second === undefined || third === undefined) throw new Error('three starts');
    const taken = first.decisions.flatMap((d) => (d.kind === 'start' ? d.seats : []))[0];
    const stolen = second.decisions.map((decision) =>
      decision.kind !== 'start' || taken === undefined
        ? decision
        : { ...decision, seats: decision.seats.map((seat) => ({ ...taken, pod: seat.pod })) },
    );
    expect(await rig.commit([first, { ...second, decisions: stolen }, third])).toEqual([
      { kind: 'committed', set: first.set },
      { kind: 'refused', set: second.set, why: 'slot' },
      { kind: 'committed', set: third.set },
    ]);
    expect(await held()).toEqual({ milli: 4000, used: 2000 });
  });

  it('keeps which part of a device is a partition, and where, for the next core', async () => {
    const profiles = [
      { name: '1g', eighths: 1, positions: [0, 1] },
      { name: '4g', eighths: 4, positions: [4] },
    ];
    await rig.see(aNode('node-8', { accelerators: [{ model: 'h100', count: 1, profiles }], cpu: 3 }));
    const half = await rig.submit('half', { milli: 500, partition: '4g' });
    const first = podsStarted(await rig.settle(), half);
    const small = await rig.submit('eighth', { milli: 125, partition: '1g' });
    expect([first.length, podsStarted(await rig.settle(), small).length]).toEqual([1, 1]);
    const stored = await rig.query('SELECT slot, milli, profile, position FROM pod_slots WHERE node = $1', ['node-8']);
    expect(stored).toEqual([
      { slot: 0, milli: 500, profile: '4g', position: 4 },
      { slot: 0, milli: 125, profile: '1g', position: 0 },
    ]);
    const present = rig.session.view();
    await rig.lead();
    expect(rig.session.view()).toEqual(present);
    const second = await rig.submit('second', { milli: 125, partition: '1g' });
    const third = await rig.submit('third', { milli: 500, partition: '4g' });
    const decided = await rig.settle();
    expect([podsStarted(decided, second).length, podsStarted(decided, third).length]).toEqual([1, 0]);
  });

  it('is no start any more once the workload was cancelled: it ends without a pod', async () => {
    const uid = await rig.submit('job');
    const [set] = await decide();
    if (set === undefined) throw new Error('one start');
    await rig.cancel(uid);
    const [outcome] = await rig.commit([set]);
    expect(outcome).toEqual({ kind: 'refused', set: set.set, why: 'workload-state' });
    if (outcome !== undefined) rig.session.answer(outcome);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'cancelled', reason: 'cancelled', incarnation: 0 });
    expect(await rig.query('SELECT FROM pods')).toEqual([]);
  });

  it('stops what is cancelled while it starts: pods not created yet are not created, the others deleted', async () => {
    const uid = await rig.submit('job', { pods: 2 });
    const pods = podsStarted(await rig.settle(), uid);
    const [created] = await rig.ledger.dueIntents(1);
    await rig.ledger.settleIntents(rig.leadership, [{ id: created?.id ?? '', outcome: { kind: 'done' } }]);
    await rig.cancel(uid);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'evicting', reason: 'cancelled' });
    expect((await rig.ledger.dueIntents(100)).map(({ kind }) => kind)).toEqual(['delete-pod', 'delete-pod']);
    expect(await held()).toEqual({ milli: 2000, used: 0 });
    await rig.observe(...pods.map((pod) => ({ kind: 'pod-gone' as const, pod })));
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'cancelled', reason: 'cancelled' });
    expect(await held()).toEqual(FREE);
  });

  it('waits for a cancellation of a workload that waits, and does not make it wait in turn', async () => {
    const waiting = [
      await rig.submit('huge', { pods: 4, devices: 8 }),
      await rig.submit('vast', { pods: 4, devices: 8 }),
    ];
    await rig.submit('job');
    const sets = await decide();
    const cancellation = rig.dataSource.createQueryRunner();
    await cancellation.startTransaction();
    await cancellation.query('SELECT FROM workloads WHERE uid = $1 FOR UPDATE', [waiting[1]]);
    const committed = rig.commit(sets);
    await eventually(async () => {
      const blocked = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await rig.query(blocked)).length > 0;
    });
    await appendAudit(cancellation.manager, { chain: 'team:lab', actor: 'tester', action: 'test', subject: 'test' });
    await cancellation.commitTransaction();
    await cancellation.release();
    expect((await committed).map(({ kind }) => kind)).toEqual(sets.map(() => 'committed'));
  });

  it('tells why a workload waits', async () => {
    const uid = await rig.submit('huge', { pods: 4, devices: 8 });
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({
      state: 'pending',
      reason: 'quota',
      message: 'Its queue has not enough quota left.',
    });
  });
});

describe('what the driver saw', () => {
  async function running(name: string, wish: Parameters<LedgerRig['submit']>[1] = {}) {
    const uid = await rig.submit(name, wish);
    const pods = podsStarted(await rig.settle(), uid);
    await rig.startPods(pods);
    const [pod] = pods;
    if (pod === undefined) throw new Error('it has pods');
    return { uid, pod, pods };
  }

  it('fails the workload with the sentence that its program reported', async () => {
    const { uid, pod } = await running('corrupt');
    const sentence = 'adult.csv, line 17, column age: "abc" is no number';
    await rig.query(
      `INSERT INTO progress (workload, rank, incarnation, sequence, body, failure) VALUES ($1, 0, 1, 1, '{}', $2)`,
      [uid, sentence],
    );
    const detail = 'exited with 65';
    const logTail = 'a NUL \0 and half a smiley \ud83d';
    await rig.observe({ kind: 'pod-ended', pod, outcome: 'failed', blame: 'workload', exitCode: 65, detail, logTail });
    await rig.observe({ kind: 'pod-gone', pod });
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'failed', reason: 'failed', message: sentence });
    expect(await rig.query('SELECT state, exit_code, detail, log_tail FROM pods')).toEqual([
      { state: 'gone', exit_code: 65, detail, log_tail: 'a NUL \ufffd and half a smiley \ufffd' },
    ]);
  });

  it('fails it with the words of the driver when the program said nothing', async () => {
    const { uid, pod } = await running('silent', { maxRetries: 0 });
    const detail = 'killed: it used more memory than it asked for';
    await rig.observe({ kind: 'pod-ended', pod, outcome: 'failed', blame: 'workload', exitCode: 137, detail });
    await rig.observe({ kind: 'pod-gone', pod });
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'failed', message: detail });
  });

  it('keeps the reason of the last failure on show while it waits for its next try', async () => {
    const { uid, pod } = await running('again');
    await rig.observe({ kind: 'pod-ended', pod, outcome: 'failed', blame: 'workload', exitCode: 1, detail: 'exit 1' });
    await rig.observe({ kind: 'pod-gone', pod });
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'pending', reason: 'hold', message: 'exit 1', retries: 1 });
    rig.clock.nowMs += 10_000;
    expect(podsStarted(await rig.settle(), uid)).toMatchObject([{ incarnation: 2 }]);
  });

  it('changes nothing when it comes twice, or after the pod is gone', async () => {
    const { pod } = await running('twice');
    const end = { kind: 'pod-ended', pod, outcome: 'succeeded', blame: 'workload', exitCode: 0 } as const;
    await rig.observe(end, { kind: 'pod-gone', pod });
    const before = await rig.query('SELECT * FROM pods');
    await rig.observe(
      { ...end, outcome: 'failed', exitCode: 1 },
      { kind: 'pod-gone', pod },
      { kind: 'pod-started', pod },
    );
    expect(await rig.query('SELECT * FROM pods')).toEqual(before);
  });

  it('drops a slot that the node lost, but none in which a pod stood', async () => {
    const { pods } = await running('job', { devices: 8 });
    expect(pods).toHaveLength(1);
    const [{ node } = { node: '' }] = await rig.query<{ node: string }>('SELECT node FROM pods');
    await rig.see(aNode('node-1', { devices: 4 }), aNode('node-2', { devices: 4 }));
    const slots = await rig.query('SELECT node, count(*)::int AS slots FROM slots GROUP BY node ORDER BY node');
    expect(slots).toEqual(['node-1', 'node-2'].map((name) => ({ node: name, slots: name === node ? 8 : 4 })));
  });

  it('starts a gang elsewhere when its node is lost, and frees the slots only when it is fenced', async () => {
    const { uid, pod } = await running('job', { devices: 8 });
    const [{ node } = { node: '' }] = await rig.query<{ node: string }>('SELECT node FROM pods');
    await rig.observe({ kind: 'node-state-changed', node, state: 'lost', cause: 'silent' });
    const again = podsStarted(await rig.settle(), uid);
    expect(again).toMatchObject([{ incarnation: 2 }]);
    expect(await held()).toEqual({ milli: 24_000, used: 8000 });
    await rig.observe({ kind: 'node-fenced', node });
    expect(await held()).toEqual({ milli: 16_000, used: 8000 });
    expect(await rig.query('SELECT state, outcome FROM pods WHERE incarnation = 1')).toEqual([
      { state: 'gone', outcome: 'lost' },
    ]);
    expect(pod.incarnation).toBe(1);
  });
});

describe('a report', () => {
  it('is taken from a pod that has just ended, and from none that is left behind when the workload has finished', async () => {
    const uid = await rig.submit('job');
    const [pod] = podsStarted(await rig.settle(), uid);
    if (pod === undefined) throw new Error('it has a pod');
    const reports = new StatusReports(rig.dataSource);
    const identity = { kind: 'pod', workload: uid, incarnation: 1, pod: podNameOf(pod) } as const;
    const note = (sequence: number) =>
      reports.note(identity, { ...identity, rank: 0, sequence, phase: 'training', step: 1, stepsTotal: 2 });
    await rig.startPods([pod]);
    await rig.succeedPods([pod]);
    expect(await note(1)).toMatchObject({ kind: 'noted' });
    await rig.settle();
    expect(await note(2)).toEqual({ kind: 'finished' });
  });
});

describe('an intent', () => {
  it('comes again when its time has come, until it is settled; settling twice is harmless', async () => {
    await rig.submit('job');
    await rig.settle();
    const [intent] = await rig.ledger.dueIntents(10);
    if (intent === undefined) throw new Error('one intent');
    expect(intent).toMatchObject({ kind: 'create-pod', attempts: 0, team: 'lab', workloadName: 'job', rank: 0 });
    const settle = (outcome: Parameters<typeof rig.ledger.settleIntents>[1][number]['outcome']) =>
      rig.ledger.settleIntents(rig.leadership, [{ id: intent.id, outcome }]);
    await settle({ kind: 'retry', inMs: 3_600_000 });
    expect(await rig.ledger.dueIntents(10)).toEqual([]);
    await settle({ kind: 'retry', inMs: 0 });
    expect(await rig.ledger.dueIntents(10)).toMatchObject([{ id: intent.id, attempts: 2 }]);
    await settle({ kind: 'done' });
    await settle({ kind: 'retry', inMs: 0 });
    expect(await rig.ledger.dueIntents(10)).toEqual([]);
  });

  it('of a pod that was created after its node was fenced is followed by its deletion', async () => {
    await rig.submit('job');
    await rig.settle();
    const [creation] = await rig.ledger.dueIntents(10);
    const [{ node } = { node: '' }] = await rig.query<{ node: string }>('SELECT node FROM pods');
    await rig.observe({ kind: 'node-fenced', node });
    expect(await rig.ledger.dueIntents(10)).toEqual([]);
    await rig.ledger.settleIntents(rig.leadership, [{ id: creation?.id ?? '', outcome: { kind: 'done' } }]);
    expect(await rig.ledger.dueIntents(10)).toMatchObject([{ kind: 'delete-pod', podName: creation?.podName }]);
  });

  it('that the driver refuses for good frees the slot, and names the reason when it ends the workload', async () => {
    const uid = await rig.submit('job');
    const [pod] = podsStarted(await rig.settle(), uid);
    const [intent] = await rig.ledger.dueIntents(10);
    const refusal = { why: 'no such program: /bin/nothing', retry: 'never' } as const;
    await rig.ledger.settleIntents(rig.leadership, [
      { id: intent?.id ?? '', outcome: { kind: 'refused', ...refusal } },
    ]);
    expect(await held()).toEqual({ milli: 1000, used: 1000 }); // the claim, until a decision ends it
    if (pod !== undefined) rig.session.refuse({ kind: 'pod-refused', pod, ...refusal });
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'failed', message: refusal.why });
    expect(await held()).toEqual(FREE);
  });
});

describe('a wish of a node', () => {
  it('stays until it is carried out, and the newest alone', async () => {
    const commands = new NodeCommands(rig.dataSource);
    await commands.order('node-1', 'fail', 'tester');
    expect(await rig.ledger.nodeWishes()).toEqual([{ node: 'node-1', wish: 'fail' }]);
    await commands.order('node-1', 'restore', 'tester');
    await rig.ledger.settleWishes(rig.leadership, [{ node: 'node-1', wish: 'fail' }]); // asked before, answered after
    expect(await rig.ledger.nodeWishes()).toEqual([{ node: 'node-1', wish: 'restore' }]);
    await rig.ledger.settleWishes(rig.leadership, [{ node: 'node-1', wish: 'restore' }]);
    expect(await rig.ledger.nodeWishes()).toEqual([]);
  });
});

describe('a flavor without devices', () => {
  const QUOTAS_WITH_CPU = QuotaFileSchema.parse({
    teams: [{ name: 'lab', title: 'The lab' }],
    flavors: [{ name: 'h100', model: 'h100' }, { name: 'cpu' }],
    queues: [{ name: 'cpus', quotas: { cpu: { nominal: 3, maxPerWorkload: 3 } } }],
  });

  function submit(podSet: Record<string, unknown>): ReturnType<WorkloadCommands['submit']> {
    const template = {
      spec: { containers: [{ name: 'main', command: ['true'], env: [{ name: 'KEY', value: 'secret' }] }] },
    };
    const document = WorkloadDocumentSchema.parse({
      apiVersion: API_VERSION,
      kind: 'Workload',
      metadata: { generateName: 'cpus-' },
      spec: { queue: 'cpus', podSets: [{ cpu: '2', ...podSet, template }] },
    });
    const submission = { document, team: 'lab', actor: 'tester', idempotencyKey: undefined };
    return new WorkloadCommands(rig.dataSource).submit(submission);
  }

  it('is charged for the CPUs of pods without devices, and for nothing else', async () => {
    await applyQuotaFile(rig.dataSource, QUOTAS_WITH_CPU);
    await rig.lead();
    expect(await submit({})).toMatchObject({ kind: 'created' });
    expect(await submit({})).toMatchObject({ kind: 'created' });
    expect(await submit({ count: 2 })).toEqual({
      kind: 'quota-exceeded',
      flavor: 'cpu',
      requestedMilli: 4000,
      maxMilli: 3000,
    });
    expect(await submit({ accelerators: { flavors: ['cpu'] } })).toEqual({
      kind: 'flavor-without-devices',
      flavor: 'cpu',
    });
    await rig.settle();
    expect(await rig.query('SELECT queue, flavor, milli::int FROM charges')).toEqual([
      { queue: 'cpus', flavor: 'cpu', milli: 2000 },
    ]);
  });

  it('leaves the values of environment variables out of the audit', async () => {
    await applyQuotaFile(rig.dataSource, QUOTAS_WITH_CPU);
    await submit({});
    const [row] = await rig.query<{ after: unknown }>(`SELECT after FROM audit WHERE action = 'workload.create'`);
    expect(JSON.stringify(row)).toContain('"KEY"');
    expect(JSON.stringify(row)).not.toContain('secret');
  });
});

describe('commands', () => {
  it('tell nothing of a workload that has finished', async () => {
    const { cursor } = await rig.ledger.load();
    const uid = await rig.submit('job');
    await rig.cancel(uid);
    await rig.settle();
    expect(await rig.workload(uid)).toMatchObject({ state: 'cancelled' });
    expect((await rig.ledger.commandsAfter(cursor, 10)).commands).toEqual([]);
  });

  it('tell that the quotas have changed', async () => {
    const { cursor } = await rig.ledger.load();
    const file = { teams: [{ name: 'lab', title: 'The lab' }], flavors: [], queues: [{ name: 'new' }] };
    await applyQuotaFile(rig.dataSource, QuotaFileSchema.parse(file));
    await applyQuotaFile(rig.dataSource, QuotaFileSchema.parse(file)); // the same: no change
    await eventually(async () => (await rig.ledger.commandsAfter(cursor, 10)).commands.length > 0);
    expect((await rig.ledger.commandsAfter(cursor, 10)).commands).toEqual([{ kind: 'quotas-changed' }]);
  });

  it('that commit late are heard, in order and once', async () => {
    const { cursor } = await rig.ledger.load();
    const late = rig.dataSource.createQueryRunner();
    const uid = randomUUID();
    await late.startTransaction();
    await late.query(
      `INSERT INTO workloads (uid, team, name, queue, spec, created_by)
       SELECT $1, 'lab', 'late', 'lab', $2::jsonb, 'tester'`,
      [uid, JSON.stringify({ queue: 'lab', kind: 'training', podSets: [] })],
    );
    await late.query(`INSERT INTO commands (kind, workload) VALUES ('workload-submitted', $1)`, [uid]);
    const early = await rig.submit('early');
    const before = await rig.ledger.load();
    expect(before.workloads.map(({ spec }) => spec.id)).toEqual([early]);
    expect((await rig.ledger.commandsAfter(cursor, 10)).commands).toEqual([]);
    await late.commitTransaction();
    await late.release();
    const heard: Command[] = [];
    let at = cursor;
    await eventually(async () => {
      const read = await rig.ledger.commandsAfter(at, 1);
      heard.push(...read.commands);
      at = read.cursor;
      return heard.length === 2;
    });
    expect(
      heard.map((command) => 'workload' in command && typeof command.workload === 'object' && command.workload.id),
    ).toEqual([uid, early]);
    // Whoever loaded the early one hears of the late one only.
    expect((await rig.ledger.commandsAfter(before.cursor, 10)).commands).toMatchObject([{ workload: { id: uid } }]);
  });
});
