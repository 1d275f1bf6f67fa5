import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { CoreRig } from '../../../test/support/core-rig.js';
import type { aPodSet } from '../../../test/support/fleet-builders.js';
import { aFlavor, aNode, aPolicy, aQueue, aWorkload } from '../../../test/support/fleet-builders.js';
import { DEFAULT_POLICY } from '../index.js';

const SECOND = 1000;
const PROTECTION = 300 * SECOND;

interface Guest {
  readonly gpus: number;
  readonly seconds: number;
  /** Is its run time told? */
  readonly isKnown: boolean;
  readonly priority: number;
}

const anyGuest = fc.record({
  gpus: fc.integer({ min: 1, max: 4 }),
  seconds: fc.integer({ min: 30, max: 900 }),
  isKnown: fc.boolean(),
  priority: fc.constantFrom(0, 0, -5),
});

/** Two nodes of 4 devices; an owner of all that a guest does not own. */
function rigOf(ofGuest = 0): CoreRig {
  const rig = new CoreRig();
  rig.tell({ kind: 'policy-set', policy: aPolicy() });
  rig.tell({ kind: 'flavor-set', flavor: aFlavor('h100') });
  rig.tell({ kind: 'queue-set', queue: aQueue('root') });
  rig.tell({ kind: 'queue-set', queue: aQueue('owner', { parent: 'root', h100: 8 - ofGuest }) });
  rig.tell({ kind: 'queue-set', queue: aQueue('guest', { parent: 'root', h100: ofGuest }) });
  for (const name of ['n', 'm'])
    rig.tell({ kind: 'node-seen', node: aNode(name, { devices: 4, labels: { pool: name } }) });
  return rig;
}

/** Guests without end: there is always one more that waits. */
class Renewing {
  readonly #endsMs = new Map<string, number>();
  #count = 0;

  constructor(
    readonly rig: CoreRig,
    readonly guests: readonly Guest[],
  ) {}

  /** Ends what has run its time, and submits until some wait. */
  step(): void {
    const { rig } = this;
    for (const [id, endMs] of this.#endsMs) {
      if (rig.stateOf(id) !== 'running' || endMs > rig.nowMs) continue;
      for (const pod of rig.podsOf(id)) rig.endPod(pod);
      rig.goPods(rig.podsOf(id));
    }
    const waiting = rig.view().workloads.filter(({ id, state }) => id.startsWith('g') && state === 'pending').length;
    for (let more = waiting; more < 3; more++) this.#submit();
    rig.settle();
    for (const { id, state } of rig.view().workloads) {
      if (!id.startsWith('g')) continue;
      const { seconds } = this.#guestOf(id);
      if (state === 'running' && !this.#endsMs.has(id)) this.#endsMs.set(id, rig.nowMs + seconds * SECOND);
      // Evicted: it begins again.
      if (state === 'pending') this.#endsMs.delete(id);
    }
  }

  #submit(): void {
    const id = `g${this.#count++}`;
    const { gpus, seconds, isKnown, priority } = this.#guestOf(id);
    const told = isKnown ? { estimateMs: seconds * SECOND } : {};
    const spec = { queue: 'guest', submittedAtMs: this.rig.nowMs, priority, pods: { gpus }, ...told };
    this.rig.submit(aWorkload(id, spec));
  }

  #guestOf(id: string): Guest {
    const guest = this.guests[Number(id.slice(1)) % this.guests.length];
    return guest ?? { gpus: 1, seconds: 60, isKnown: true, priority: 0 };
  }
}

/** Its start, if it comes within a protection after it has been submitted. */
function ownerOf(
  rig: CoreRig,
  story: {
    readonly guests: readonly Guest[];
    readonly pods: NonNullable<Parameters<typeof aPodSet>[0]>;
    readonly after: number;
  },
) {
  const renewing = new Renewing(rig, story.guests);
  for (let step = 0; step < story.after; step++, rig.nowMs += 20 * SECOND) renewing.step();
  const arrivedMs = rig.nowMs;
  rig.submit(aWorkload('o', { queue: 'owner', pods: story.pods, submittedAtMs: arrivedMs }));
  renewing.step();
  for (; rig.startOf('o') === undefined && rig.nowMs < arrivedMs + PROTECTION; rig.nowMs += 20 * SECOND) {
    renewing.step();
  }
  renewing.step();
  return rig.startOf('o');
}

function plannedMs(rig: CoreRig, id: string): number | undefined {
  return rig.view().workloads.find((workload) => workload.id === id)?.plannedStartMs;
}

describe('a plan that counts on evictions', () => {
  it('bounds the wait of an owner behind borrowers that renew one another by their protection', () => {
    const guest = (gpus: number, seconds: number, more: Partial<Guest> = {}): Guest => {
      return { gpus, seconds, isKnown: false, priority: 0, ...more };
    };
    // It is planned in the settle in which a borrower starts, so at first for the end of that one: others plan before it.
    const startsAsItComes = [
      guest(1, 30),
      guest(1, 301, { isKnown: true, priority: -5 }),
      guest(1, 281, { priority: -5 }),
      guest(1, 360, { isKnown: true }),
      guest(2, 341),
      guest(3, 61),
      guest(3, 30),
    ];
    fc.assert(
      fc.property(
        fc.array(anyGuest, { minLength: 1, maxLength: 8 }),
        fc.record({ gpus: fc.integer({ min: 1, max: 4 }), count: fc.integer({ min: 1, max: 2 }) }),
        fc.integer({ min: 0, max: 20 }),
        (guests, pods, after) => {
          expect(ownerOf(rigOf(), { guests, pods, after })).toBeDefined();
        },
      ),
      { ...lawCases(20), examples: [[startsAsItComes, { gpus: 4, count: 2 }, 18]] },
    );
  });

  it('does so though they borrow no more when longer work of theirs ends', () => {
    const shortest: Guest = { gpus: 1, seconds: 41, isKnown: false, priority: 0 };
    fc.assert(
      fc.property(
        fc.array(anyGuest, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.record({ after: fc.integer({ min: 0, max: 20 }), moreSeconds: fc.integer({ min: 10, max: 600 }) }),
        (guests, gpus, { after, moreSeconds }) => {
          const rig = rigOf(4);
          const estimateMs = PROTECTION + (after * 20 + moreSeconds) * SECOND;
          const long = { gpus: 4, nodeSelector: { pool: 'm' } };
          rig.submit(aWorkload('w', { queue: 'guest', estimateMs, preemptible: false, pods: long }));
          rig.settle();
          const pods = { gpus, nodeSelector: { pool: 'n' } };
          expect(ownerOf(rig, { guests, pods, after })).toBeDefined();
        },
      ),
      { ...lawCases(20), examples: [[[shortest], 4, { after: 1, moreSeconds: 10 }]] },
    );
  });

  it('does so though work over which it has no right must end first, also where nobody is protected', () => {
    const long = anyGuest.map((guest) => ({ ...guest, seconds: guest.seconds + PROTECTION / SECOND }));
    fc.assert(
      fc.property(
        fc.array(long, { minLength: 1, maxLength: 8 }),
        fc.record({ after: fc.integer({ min: 10, max: 20 }), moreSeconds: fc.integer({ min: 10, max: 280 }) }),
        (guests, { after, moreSeconds }) => {
          const rig = rigOf();
          const limitMs = (after * 20 + moreSeconds) * SECOND;
          rig.submit(aWorkload('w', { queue: 'guest', limitMs, preemptible: false, pods: { gpus: 4 } }));
          rig.settle();
          expect(ownerOf(rig, { guests, pods: { gpus: 4, count: 2 }, after })).toBeDefined();
        },
      ),
      lawCases(20),
    );
  });

  it('does so though work of its own must end first, and borrowers are planned for its place then', () => {
    // So that none of them is planned for a time before.
    const equal = anyGuest.map((guest) => ({ ...guest, isKnown: false, priority: 0 }));
    fc.assert(
      fc.property(
        fc.array(equal, { minLength: 1, maxLength: 8 }),
        fc.record({ after: fc.integer({ min: 0, max: 20 }), moreSeconds: fc.integer({ min: 10, max: 280 }) }),
        (guests, { after, moreSeconds }) => {
          const rig = rigOf();
          const limitMs = (after * 20 + moreSeconds) * SECOND;
          rig.submit(aWorkload('w', { queue: 'owner', limitMs, pods: { gpus: 4 } }));
          rig.settle();
          expect(ownerOf(rig, { guests, pods: { gpus: 4, count: 2 }, after })).toBeDefined();
        },
      ),
      lawCases(20),
    );
  });

  it('is not needed where nobody is protected: the owner goes before a plan for the place of its victim', () => {
    const rig = rigOf();
    const guest = { queue: 'guest', pods: { gpus: 4 } };
    rig.submit(aWorkload('known', { ...guest, estimateMs: 1000 * SECOND }), aWorkload('unknown', guest));
    rig.settle();
    rig.submit(aWorkload('next', { ...guest, estimateMs: 1000 * SECOND, submittedAtMs: 1 }));
    rig.settle();
    expect(plannedMs(rig, 'next')).toBe(1000 * SECOND);
    rig.nowMs = PROTECTION;
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(rig.stateOf('o')).toBe('running');
  });

  it('combines the known end of work that stays with work that may be evicted already', () => {
    const rig = rigOf();
    const pods = { gpus: 4 };
    rig.submit(aWorkload('stays', { queue: 'owner', pods, estimateMs: 1000 * SECOND }));
    rig.submit(aWorkload('unknown', { queue: 'guest', pods }));
    rig.settle();
    rig.nowMs = PROTECTION;
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(plannedMs(rig, 'o')).toBe(1000 * SECOND);
  });

  it('starts when the window of the brake has ended, and moves there when another has used that up before it', () => {
    const rig = rigOf();
    const brake = { ...DEFAULT_POLICY.preemption.brake, evictions: 1 };
    rig.tell({ kind: 'policy-set', policy: aPolicy({ preemption: { ...DEFAULT_POLICY.preemption, brake } }) });
    const guest = { queue: 'guest', pods: { gpus: 4 } };
    const owner = { queue: 'owner', pods: { gpus: 4 } };
    rig.submit(aWorkload('g1', guest), aWorkload('g2', guest));
    rig.settle();
    rig.submit(aWorkload('o1', { ...owner, submittedAtMs: 1 }), aWorkload('o2', { ...owner, submittedAtMs: 2 }));
    rig.settle();
    expect(plannedMs(rig, 'o1')).toBe(PROTECTION);
    rig.nowMs = PROTECTION;
    rig.settle();
    expect(rig.stateOf('o2')).toBe('pending');
    expect(plannedMs(rig, 'o2')).toBe(PROTECTION + brake.windowMs);
    rig.nowMs += 1;
    expect(rig.settle()).toEqual([]);
    rig.nowMs = PROTECTION + brake.windowMs;
    rig.settle();
    expect(rig.nodesOf('o2')).not.toEqual({});
  });

  it.each([
    { all: 'all', has: 2, gpus: 2 },
    { all: 'some', has: 3, gpus: 1 },
  ])('stands when a start that ends before takes $all of what one had whom it counts on', ({ has, gpus }) => {
    const rig = rigOf();
    const guest = { queue: 'guest', priority: -5 };
    rig.submit(aWorkload('low', { ...guest, pods: { gpus: has } }));
    rig.settle();
    rig.nowMs = 100 * SECOND;
    for (const [id, devices] of Object.entries({ late: 4, later: 1 })) {
      rig.submit(aWorkload(id, { ...guest, pods: { gpus: devices }, submittedAtMs: rig.nowMs }));
    }
    rig.settle();
    rig.submit(aWorkload('o', { queue: 'owner', pods: { gpus: 4, count: 2 }, submittedAtMs: rig.nowMs }));
    rig.settle();
    expect(plannedMs(rig, 'o')).toBe(400 * SECOND);
    rig.nowMs = PROTECTION;
    rig.submit(aWorkload('more', { ...guest, submittedAtMs: rig.nowMs }));
    rig.submit(aWorkload('short', { queue: 'guest', pods: { gpus }, estimateMs: 60 * SECOND }));
    rig.settle('only-commit');
    expect([rig.stateOf('low'), rig.startOf('short')?.incarnation]).toEqual(['evicting', 1]);
    expect(plannedMs(rig, 'o')).toBe(400 * SECOND);
    expect(rig.startOf('more')).toBeUndefined();
  });

  it('looks for victims at a few times only, however many are protected', () => {
    const rig = rigOf();
    for (let node = 0; node < 50; node++) rig.tell({ kind: 'node-seen', node: aNode(`x${node}`, { devices: 4 }) });
    rig.tell({ kind: 'queue-set', queue: aQueue('owner', { parent: 'root', h100: 208 }) });
    for (let guest = 0; guest < 208; guest++, rig.nowMs += SECOND) {
      rig.submit(aWorkload(`g${guest}`, { queue: 'guest', submittedAtMs: rig.nowMs }));
      rig.settle();
    }
    const before = rig.scheduler.work();
    const gang = { count: 20, gpus: 4 };
    rig.submit(aWorkload('o', { queue: 'owner', pods: gang, submittedAtMs: rig.nowMs }));
    rig.settle();
    const { victimSearches, planSearches } = rig.scheduler.work();
    expect(plannedMs(rig, 'o')).toBeGreaterThan(PROTECTION);
    expect(planSearches - before.planSearches).toBe(1);
    expect(victimSearches - before.victimSearches).toBeLessThanOrEqual(16);
  });
});
