import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Charge, Decision, PodRef, Seat } from '../../src/core/index.js';
import type { DecisionSet, SetOutcome } from '../../src/server/scheduler/ledger.js';
import { podNameOf } from '../../src/server/scheduler/pod-name.js';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig } from '../support/ledger-rig.js';

type Start = Extract<Decision, { readonly kind: 'start' }>;
type DecisionBody<Kind extends Decision['kind']> = Omit<
  Extract<Decision, { readonly kind: Kind }>,
  'id' | 'set' | 'because' | 'kind'
>;

/** Sets as a core would decide them; what the ledger makes of them is its own. */
class HandWrittenSets {
  #next = 1000;

  set(policy: string, ...bodies: readonly ((common: Common) => Decision)[]): DecisionSet {
    const set = (this.#next += 1);
    const decisions = bodies.map((body) =>
      body({ id: (this.#next += 1), set, because: { rule: 'by hand', facts: {} } }),
    );
    return { set, policy, atMs: 5000, decisions };
  }
}

type Common = Pick<Decision, 'id' | 'set' | 'because'>;
const evict = (body: DecisionBody<'evict'>) => (common: Common) => ({ ...common, ...body, kind: 'evict' as const });
const start = (body: DecisionBody<'start'>) => (common: Common) => ({ ...common, ...body, kind: 'start' as const });
const grow = (body: DecisionBody<'grow'>) => (common: Common) => ({ ...common, ...body, kind: 'grow' as const });
const shrink = (body: DecisionBody<'shrink'>) => (common: Common) => ({ ...common, ...body, kind: 'shrink' as const });

let rig: LedgerRig;
let sets: HandWrittenSets;
beforeEach(async () => {
  rig = await LedgerRig.open();
  sets = new HandWrittenSets();
  await rig.see(aNode('node-1'), aNode('node-2'));
});
afterEach(() => rig.close());

/** A workload that runs, as the core started it. */
async function running(name: string, wish: Parameters<LedgerRig['submit']>[1]): Promise<Start> {
  const uid = await rig.submit(name, wish);
  const started = (await rig.settle()).find((decision) => decision.kind === 'start');
  if (started?.workload !== uid) throw new Error(`${name} did not start`);
  await rig.startPods(started.seats.map(({ pod }) => pod));
  return started;
}

/** All of a workload stops, because another needs it. */
function evictionOf(victim: Start, beneficiary: string): (common: Common) => Decision {
  return evict({
    workload: victim.workload,
    incarnation: 1,
    pods: podsOf(victim),
    charges: victim.charges,
    reason: 'preempted',
    for: beneficiary,
    then: 'requeue',
    retries: 0,
  });
}

/** A first start on seats that others are to leave. */
function startOn(workload: string, seats: readonly Seat[], waitsFor: readonly PodRef[]): (common: Common) => Decision {
  const moved = seats.map((seat, index) => ({ ...seat, pod: { workload, incarnation: 1, podSet: 'worker', index } }));
  const charges = [chargeOf(moved)];
  return start({ workload, incarnation: 1, seats: moved, charges, waitsFor, startByMs: 1_000_000 });
}

function chargeOf(seats: readonly Seat[]): Charge {
  const milli = seats.flatMap(({ slots }) => slots).reduce((sum, slot) => sum + slot.milli, 0);
  return { queue: 'lab', flavor: 'h100', milli };
}

function podsOf({ seats }: Start): readonly PodRef[] {
  return seats.map(({ pod }) => pod);
}

async function commitOne(set: DecisionSet): Promise<SetOutcome> {
  const [outcome] = await rig.commit([set]);
  if (outcome === undefined) throw new Error('each set is answered');
  return outcome;
}

async function podsHeld(uid: string): Promise<readonly unknown[]> {
  return rig.query(`SELECT state, claimed, occupied FROM pods WHERE workload = $1 ORDER BY rank`, [uid]);
}

async function creations(): Promise<readonly string[]> {
  const intents = await rig.ledger.dueIntents(100);
  return intents.flatMap(({ kind, podName }) => (kind === 'create-pod' ? [podName] : []));
}

async function settleCreations(): Promise<void> {
  const intents = await rig.ledger.dueIntents(100);
  const outcomes = intents.map(({ id }) => ({ id, outcome: { kind: 'done' as const } }));
  await rig.ledger.settleIntents(rig.leadership, outcomes);
}

async function evictedBy(name: string): Promise<{ readonly guest: Start; readonly home: string }> {
  const guest = await running('guest', { pods: 2, devices: 8 });
  await settleCreations();
  const home = await rig.submit(name, { pods: 2, devices: 8 });
  const set = sets.set('default', evictionOf(guest, home), startOn(home, guest.seats, podsOf(guest)));
  expect(await commitOne(set)).toEqual({ kind: 'committed', set: set.set });
  return { guest, home };
}

describe('a set that evicts one workload and starts another in its place', () => {
  it('moves claims and charge at once, and the occupancy when the place is empty', async () => {
    const { guest, home } = await evictedBy('home');
    expect(await rig.workload(guest.workload)).toMatchObject({ state: 'evicting', reason: 'preempted' });
    expect(await rig.workload(home)).toMatchObject({ state: 'starting', incarnation: 1 });
    expect(await rig.query('SELECT workload, milli::int FROM charges')).toEqual([{ workload: home, milli: 16_000 }]);
    const waiting = { state: 'waiting', claimed: true, occupied: false };
    expect(await podsHeld(home)).toEqual([waiting, waiting]);
    expect(await creations()).toEqual([]);

    const [first, second] = podsOf(guest);
    if (first === undefined || second === undefined) throw new Error('two pods');
    await rig.ledger.observe(rig.leadership, [{ kind: 'pod-gone', pod: first }]);
    expect(await creations()).toHaveLength(1);
    await rig.ledger.observe(rig.leadership, [{ kind: 'pod-gone', pod: second }]);
    expect(await creations()).toHaveLength(2);
    const expected = { state: 'expected', claimed: true, occupied: true };
    expect(await podsHeld(home)).toEqual([expected, expected]);
    expect(await rig.workload(guest.workload)).toMatchObject({ state: 'pending', reason: 'preempted' });
  });

  it('waits on where pods of others took the place before it, until they leave it', async () => {
    const { guest, home } = await evictedBy('home');
    const [seat] = guest.seats;
    if (seat === undefined) throw new Error('there are two');
    const foreign = (slots: readonly number[]): Promise<unknown> =>
      rig.ledger.observe(rig.leadership, [
        { kind: 'foreign-use-seen', node: seat.node, use: { cpuMilli: 0, memoryMib: 0, pods: slots.length }, slots },
      ]);
    await foreign([0]);
    await rig.ledger.observe(
      rig.leadership,
      podsOf(guest).map((pod) => ({ kind: 'pod-gone', pod })),
    );
    expect((await podsHeld(home)).filter((pod) => (pod as { state: string }).state === 'waiting')).toHaveLength(1);
    expect(await creations()).toHaveLength(1);
    await foreign([]);
    expect(await creations()).toHaveLength(2);
  });

  it('says to the people of the victim who took its place, and in the audit', async () => {
    const { guest } = await evictedBy('home');
    const message = 'Workload home has a higher priority and took its place.';
    expect(await rig.workload(guest.workload)).toMatchObject({ message });
    expect(await rig.query('SELECT last_eviction AS said FROM workloads WHERE uid = $1', [guest.workload])).toEqual([
      { said: { at: '1970-01-01T00:00:05.000Z', reason: 'preempted', message } },
    ]);
    expect(
      await rig.query(`SELECT reason, after ->> 'for' AS "for" FROM audit WHERE action = 'workload.evict'`),
    ).toEqual([{ reason: 'preempted', for: 'Workload home' }]);
  });

  it('keeps the name of a workload of another team from the people of the victim', async () => {
    await rig.query(`INSERT INTO teams VALUES ('ops', 'Operations')`);
    const guest = await running('guest', { pods: 1, devices: 8 });
    const home = await rig.submit('secret', { pods: 1, devices: 8 });
    await rig.query(`UPDATE workloads SET team = 'ops' WHERE uid = $1`, [home]);
    await rig.commit([sets.set('default', evictionOf(guest, home), startOn(home, guest.seats, podsOf(guest)))]);
    const { message } = await rig.workload(guest.workload);
    expect(message).toBe('A workload of team ops has a higher priority and took its place.');
  });

  it('is refused whole when the order of its decisions would exceed the quota in between', async () => {
    const guest = await running('guest', { pods: 2, devices: 8 });
    const home = await rig.submit('home', { pods: 2, devices: 8 });
    const before = await rig.query('SELECT * FROM pods ORDER BY name');
    const set = sets.set('default', startOn(home, guest.seats, podsOf(guest)), evictionOf(guest, home));
    expect(await commitOne(set)).toEqual({ kind: 'refused', set: set.set, why: 'quota', at: 'all' });
    expect(await rig.query('SELECT * FROM pods ORDER BY name')).toEqual(before);
    expect(await rig.workload(guest.workload)).toMatchObject({ state: 'running' });
  });

  it('is refused whole when its start is no longer wanted, and stops nobody', async () => {
    const guest = await running('guest', { pods: 2, devices: 8 });
    const home = await rig.submit('home', { pods: 2, devices: 8 });
    await rig.cancel(home);
    const set = sets.set('default', evictionOf(guest, home), startOn(home, guest.seats, podsOf(guest)));
    expect(await commitOne(set)).toEqual({ kind: 'refused', set: set.set, why: 'workload-state' });
    expect(await rig.workload(guest.workload)).toMatchObject({ state: 'running' });
    expect(await rig.query(`SELECT FROM outbox WHERE kind = 'delete-pod'`)).toEqual([]);
  });

  it('is refused when it would take what others occupy without waiting for them', async () => {
    const guest = await running('guest', { pods: 1, devices: 8 });
    const home = await rig.submit('home', { pods: 1, devices: 8 });
    const set = sets.set('default', evictionOf(guest, home), startOn(home, guest.seats, []));
    expect(await commitOne(set)).toMatchObject({ kind: 'refused', why: 'slot' });
  });
});

describe('a pod that waits', () => {
  it('is still known after a restart, with those it waits for, and comes when they are gone', async () => {
    const { guest, home } = await evictedBy('home');
    const { pods, workloads } = await rig.ledger.load();
    expect(workloads.find(({ spec }) => spec.id === home)).toMatchObject({ startedAtMs: 5000 });
    for (const [index, pod] of podsOf(guest).entries()) {
      const waiting = pods.find(({ seat }) => seat.pod.workload === home && seat.pod.index === index);
      expect(waiting).toMatchObject({ claimed: true, state: 'expected', waitsFor: [pod] });
    }
    expect(pods.slice(0, 2).map(({ claimed }) => claimed)).toEqual([false, false]);
  });

  it('never comes once its claim has ended, and says so, since nobody will observe it', async () => {
    const { guest, home } = await evictedBy('home');
    const refs = [0, 1].map((index) => ({ workload: home, incarnation: 1, podSet: 'worker', index }));
    const charges = [{ queue: 'lab', flavor: 'h100', milli: 16_000 }];
    const eviction = { workload: home, incarnation: 1, pods: refs, charges, retries: 0 };
    const set = sets.set('default', evict({ ...eviction, reason: 'cancelled', then: 'end' }));
    expect(await commitOne(set)).toEqual({ kind: 'committed', set: set.set, neverCame: refs });
    await rig.ledger.observe(
      rig.leadership,
      podsOf(guest).map((pod) => ({ kind: 'pod-gone' as const, pod })),
    );
    expect(await rig.ledger.dueIntents(100)).not.toContainEqual(expect.objectContaining({ kind: 'create-pod' }));
    expect(await rig.query('SELECT FROM pods WHERE claimed OR occupied')).toEqual([]);
    const gone = { state: 'gone', claimed: false, occupied: false };
    expect(await podsHeld(home)).toEqual([gone, gone]);
  });

  it('comes to nothing on a node that is fenced, as all that was to be there', async () => {
    const { guest, home } = await evictedBy('home');
    const [{ node } = { node: '' }] = guest.seats;
    await rig.ledger.observe(rig.leadership, [{ kind: 'node-fenced', node }]);
    expect(await creations()).toEqual([]);
    expect(await podsHeld(home)).toContainEqual({ state: 'gone', claimed: true, occupied: false });
  });

  it('goes on waiting when the node lost devices meanwhile', async () => {
    const { guest } = await evictedBy('home');
    await rig.query('UPDATE nodes SET cpu_milli = 0');
    await rig.ledger.observe(
      rig.leadership,
      podsOf(guest).map((pod) => ({ kind: 'pod-gone' as const, pod })),
    );
    expect(await creations()).toEqual([]);
  });
});

describe('an elastic workload', () => {
  /** One more pod on the node of its first, on that slot. */
  const seatFor = ({ workload, seats: [like] }: Start, index: number, slot: number): Seat => {
    if (like === undefined) throw new Error('it has a seat');
    return { ...like, pod: { workload, incarnation: 1, podSet: 'worker', index }, slots: [{ slot, milli: 1000 }] };
  };

  async function worlds(uid: string): Promise<readonly unknown[]> {
    const rows = await rig.query<{ rank: number; world: number }>(
      'SELECT rank, world_size AS world FROM pods WHERE workload = $1 AND claimed ORDER BY rank',
      [uid],
    );
    return rows.map(({ rank, world }) => [rank, world]);
  }

  it('grows by pods with the next ranks, in the same incarnation and the next round', async () => {
    const elastic = await running('elastic', { pods: 2, devices: 1 });
    const seats = [2, 3].map((index) => seatFor(elastic, index, index + 3));
    const growth = { workload: elastic.workload, incarnation: 1, seats, charges: [chargeOf(seats)] };
    const set = sets.set('default', grow({ ...growth, waitsFor: [], startByMs: 1_000_000 }));
    expect(await commitOne(set)).toEqual({ kind: 'committed', set: set.set });
    expect(await worlds(elastic.workload)).toEqual([0, 1, 2, 3].map((rank) => [rank, 4]));
    expect(await creations()).toEqual(expect.arrayContaining(seats.map(({ pod }) => podNameOf(pod))));
    expect(await rig.workload(elastic.workload)).toMatchObject({ state: 'running', incarnation: 1 });
    expect(await rig.query('SELECT round FROM workloads')).toEqual([{ round: 1 }]);
    expect(await rig.query('SELECT milli::int FROM charges')).toEqual([{ milli: 4000 }]);
  });

  it('shrinks by pods that are stopped, and goes on with the others', async () => {
    const elastic = await running('elastic', { pods: 3, devices: 1 });
    const pods = podsOf(elastic).slice(2);
    const charges = [{ queue: 'lab', flavor: 'h100', milli: 1000 }];
    const set = sets.set('default', shrink({ workload: elastic.workload, incarnation: 1, pods, charges }));
    await settleCreations();
    expect(await commitOne(set)).toEqual({ kind: 'committed', set: set.set });
    expect(await worlds(elastic.workload)).toEqual([0, 1].map((rank) => [rank, 2]));
    expect((await rig.ledger.dueIntents(100)).map(({ kind, podName }) => [kind, podName])).toEqual(
      pods.map((pod) => ['delete-pod', podNameOf(pod)]),
    );
    expect(await rig.workload(elastic.workload)).toMatchObject({ state: 'running', incarnation: 1 });
    expect(await rig.query('SELECT milli::int FROM charges')).toEqual([{ milli: 2000 }]);
    expect(await rig.query(`SELECT after -> 'pods' AS pods FROM audit WHERE action = 'workload.shrink'`)).toEqual([
      { pods: ['worker-2'] },
    ]);
  });

  it('is not grown once its end was asked for', async () => {
    const elastic = await running('elastic', { pods: 1, devices: 1 });
    await rig.cancel(elastic.workload);
    const seats = [seatFor(elastic, 1, 7)];
    const growth = { workload: elastic.workload, incarnation: 1, seats, charges: [chargeOf(seats)] };
    const set = sets.set('default', grow({ ...growth, waitsFor: [], startByMs: 1_000_000 }));
    expect(await commitOne(set)).toMatchObject({ kind: 'refused', why: 'workload-state' });
  });
});

describe('a planned start', () => {
  it('is shown until it is taken back, or another term begins', async () => {
    const uid = await rig.submit('later', { pods: 4, devices: 8 });
    const shown = async (): Promise<unknown> =>
      (await rig.query<{ at: Date | null }>('SELECT planned_start AS at FROM workloads'))[0]?.at?.getTime();
    const plan = { workload: uid, kind: 'plan', startMs: 7000, seats: [], holds: 'from-start' } as const;
    await rig.commit([sets.set('default', (common) => ({ ...common, ...plan }))]);
    expect(await shown()).toBe(7000);
    await rig.commit([sets.set('default', (common) => ({ ...common, workload: uid, kind: 'unplan' }))]);
    expect(await shown()).toBeUndefined();
    await rig.commit([sets.set('default', (common) => ({ ...common, ...plan }))]);
    await rig.lead();
    expect(await shown()).toBeUndefined();
    expect(await rig.query('SELECT FROM decisions')).toEqual([]);
  });
});
