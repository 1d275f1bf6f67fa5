import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { NotedPodsServer, aFoundPod } from '../../../../test/support/noted-pods-server.js';
import type { FoundPod } from '../../cluster.js';
import type { PodNote } from './pod-note.js';
import { PodNotes } from './pod-notes.js';

const FULL: PodNote = { reason: 'Unschedulable', message: 'No node has 8 free GPUs.' };
const QUOTA: PodNote = { reason: 'WaitingForQuota', message: 'Queue research has no GPU left.' };
const TURN: PodNote = { reason: 'WaitingForTurn', message: 'Two workloads come first.' };
const A = aFoundPod('a');
const B = aFoundPod('b');
const START_MS = Date.UTC(2026, 10, 26, 12);

let timers: ManualTimers;
let server: NotedPodsServer;
let notes: PodNotes;
let reported: unknown[];

beforeEach(() => {
  timers = new ManualTimers();
  server = new NotedPodsServer([A, B]);
  reported = [];
  notes = start();
});
afterEach(async () => {
  await notes.stop();
  expect(timers.alarmsSet).toBe(0);
});

function start(): PodNotes {
  return new PodNotes({
    api: server,
    timers,
    random: () => 0.5,
    wallMs: () => START_MS + timers.now(),
    unboundPod: (pod) => server.unboundPod(pod),
    report: (error) => reported.push(error),
  });
}

/** What is under way comes to rest: the server answers at once, and a pause is over in the next turn. */
async function rest(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function show(note: PodNote, ...pods: readonly FoundPod[]): Promise<void> {
  notes.show(pods, note);
  await rest();
}

async function pass(ms: number): Promise<void> {
  timers.advance(ms);
  await rest();
}

const eventKinds: Record<string, { readonly note: PodNote; readonly want: object }> = {
  'warns where nothing but a change of the fleet helps': {
    note: FULL,
    want: { type: 'Warning', reason: 'FailedScheduling', message: FULL.message },
  },
  'warns of what Berth refuses': {
    note: { reason: 'NotSupported', message: 'spec.resourceClaims: not supported' },
    want: { type: 'Warning', reason: 'FailedScheduling' },
  },
  'does not warn of a wait that is in order': { note: QUOTA, want: { type: 'Normal', reason: 'Waiting' } },
  'does not warn of a hold': {
    note: { reason: 'Held', message: 'Its owner holds it.' },
    want: { type: 'Normal', reason: 'Waiting' },
  },
};

describe(PodNotes.name, () => {
  it.each(Object.entries(eventKinds))('%s', async (_title, { note, want }) => {
    await show(note, A);
    expect(server.scheduledOf(A)).toMatchObject({ status: 'False', reason: note.reason, message: note.message });
    expect(server.eventsOf(A)).toMatchObject([want]);
  });

  it('leaves other conditions alone, and the time since when it waits', async () => {
    const before = server.conditionsOf(A);
    await show(QUOTA, A);
    await pass(60_000);
    await show(FULL, A);
    expect(server.conditionsOf(A)).toEqual([
      ...before,
      { type: 'PodScheduled', status: 'False', ...FULL, lastTransitionTime: '2026-11-26T12:00:00Z' },
    ]);
  });

  it('writes the same note once', async () => {
    await show(FULL, A);
    const { writes } = server;
    await show({ ...FULL }, A);
    await pass(60_000);
    await show(FULL, A);
    expect(server.writes).toBe(writes);
  });

  it('writes nothing on a pod that shows the note already, because an earlier server wrote it', async () => {
    await show(FULL, A);
    await notes.stop();
    notes = start();
    const { writes } = server;
    await show(FULL, A);
    expect(server.writes).toBe(writes);
  });

  it('lets ten seconds pass before another note on the same pod, and then writes the newest', async () => {
    await show(QUOTA, A);
    await show(TURN, A);
    await show(FULL, A);
    await pass(9_999);
    expect(server.scheduledOf(A)).toMatchObject(QUOTA);
    await pass(1);
    expect(server.scheduledOf(A)).toMatchObject(FULL);
    expect(server.eventsOf(A)).toMatchObject([{ message: QUOTA.message }, { message: FULL.message }]);
  });

  it('writes nothing when the note is soon what it was', async () => {
    await show(QUOTA, A);
    const { writes } = server;
    await show(TURN, A);
    await show(QUOTA, A);
    await pass(60_000);
    expect(server.writes).toBe(writes);
  });

  it('keeps one event of each kind, with the newest message', async () => {
    await show(QUOTA, A);
    await pass(60_000);
    await show(TURN, A);
    expect(server.eventsOf(A)).toMatchObject([{ message: TURN.message, lastTimestamp: '2026-11-26T12:01:00Z' }]);
  });

  it('renews the event of a pod that waits for long, before the API server forgets it', async () => {
    await show(FULL, A);
    const version = server.unboundPod(A)?.resourceVersion;
    await pass(10_000);
    await pass(30 * 60_000);
    expect(server.eventsOf(A)).toMatchObject([{ lastTimestamp: '2026-11-26T12:30:10Z' }]);
    expect(server.unboundPod(A)?.resourceVersion).toBe(version);
  });

  it('never takes a bound pod for one that waits, even if the watch has not said so yet', async () => {
    server.isWatchBehind = true;
    server.bind(A, 'node-1');
    notes.show([A], FULL);
    await server.nextRefusal();
    server.isWatchBehind = false;
    await rest();
    expect(server.scheduledOf(A)).toEqual({ type: 'PodScheduled', status: 'True' });
    expect(server.eventsOf(A)).toEqual([]);
    expect(reported).toEqual([]);
  });

  it('says nothing of a wait on a pod that is bound while its note is written', async () => {
    server.beforeNextWrite = () => {
      notes.forget(A.uid);
      server.bind(A, 'node-1');
    };
    await show(FULL, A);
    expect(server.scheduledOf(A)).toEqual({ type: 'PodScheduled', status: 'True' });
    expect(server.eventsOf(A)).toEqual([]);
  });

  it('drops what it was to say on a pod that is about to be bound', async () => {
    await show(QUOTA, A);
    const { writes } = server;
    await show(FULL, A);
    notes.forget(A.uid);
    await pass(60_000);
    expect(server.writes).toBe(writes);
  });

  it('says where a pod was put, in the words of kube-scheduler', async () => {
    await show(FULL, A);
    server.bind(A, 'node-1');
    notes.scheduled(A, 'node-1');
    await rest();
    expect(server.eventsOf(A).at(-1)).toMatchObject({
      type: 'Normal',
      reason: 'Scheduled',
      message: 'Successfully assigned team/a to node-1',
      involvedObject: { kind: 'Pod', uid: A.uid },
      source: { component: 'berth' },
    });
    expect(server.scheduledOf(A)).toMatchObject({ status: 'True' });
  });

  it('goes on with a pod that was changed by somebody else, as soon as the watch has seen it', async () => {
    server.isWatchBehind = true;
    server.touch(A);
    notes.show([A], FULL);
    await server.nextRefusal();
    server.isWatchBehind = false;
    await rest();
    expect(server.scheduledOf(A)).toMatchObject(FULL);
  });

  it.each([
    ['that is gone', 404, ''],
    ['whose namespace is about to be', 403, 'NamespaceTerminating'],
  ])('drops, without a word, the note on a pod %s', async (_which, code, cause) => {
    server.fail(1, code, cause);
    await show(FULL, A);
    expect(server.writes).toBe(0);
    expect(timers.pauses).toEqual([]);
    expect(reported).toEqual([]);
  });

  it('tries again what failed, and gives up after four tries; it says so once', async () => {
    server.fail(8, 500);
    await show(FULL, A, B);
    expect(server.writes).toBe(0);
    expect(reported).toHaveLength(1);
    expect(timers.pauses).toHaveLength(6);
    await show(FULL, A);
    expect(server.scheduledOf(A)).toMatchObject(FULL);
    server.fail(4, 403);
    await show(FULL, B);
    expect(reported).toHaveLength(2);
  });

  it('tries again a minute later what it gave up, as long as the pod waits', async () => {
    server.fail(8, 500);
    await show(FULL, A, B);
    notes.show([B], TURN);
    server.bind(B, 'node-1');
    await pass(59_999);
    expect(server.scheduledOf(A)).toBeUndefined();
    await pass(1);
    expect(server.scheduledOf(A)).toMatchObject(FULL);
    expect(server.eventsOf(A)).toHaveLength(1);
    expect(server.scheduledOf(B)).toEqual({ type: 'PodScheduled', status: 'True' });
  });

  it('writes slowly: a hundred calls at once, then fifty a second', async () => {
    const pods = Array.from({ length: 100 }, (_, index) => aFoundPod(`pod-${index}`));
    server.add(pods);
    await show(FULL, ...pods);
    expect(server.writes).toBe(100);
    for (let passed = 0; passed < 1000; passed += 20) await pass(20);
    expect(server.writes).toBe(150);
  });

  it('lets ten thousand pods wait for their note, and says it on others later', async () => {
    const pods = Array.from({ length: 10_200 }, (_, index) => aFoundPod(`pod-${index}`));
    server.add(pods);
    notes.show(pods, FULL);
    for (let passed = 0; passed < 450; passed += 1) {
      timers.advance(1000);
      await rest();
    }
    expect(pods.filter((pod) => server.scheduledOf(pod) === undefined)).toEqual([]);
  });

  it('writes nothing any more when it has stopped', async () => {
    const pods = Array.from({ length: 100 }, (_, index) => aFoundPod(`pod-${index}`));
    server.add(pods);
    notes.show(pods, FULL);
    await notes.stop();
    const { writes } = server;
    notes.show([A], FULL);
    notes.scheduled(B, 'node-1');
    await pass(60_000);
    expect(server.writes).toBe(writes);
    expect(timers.alarmsSet).toBe(0);
  });
});
