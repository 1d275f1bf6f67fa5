import { describe, expect, it } from '@jest/globals';
import { ConcurrencyLimit, type Slot } from './concurrency-limit.js';

const never = new AbortController().signal;

async function enterAll(limit: ConcurrencyLimit, calls: number): Promise<Slot[]> {
  const slots = await Promise.all(Array.from({ length: calls }, () => limit.enter(never)));
  return slots.filter((slot) => slot !== undefined);
}

describe(ConcurrencyLimit.name, () => {
  it('lets no more calls in than its limit, and the others in the order in which they came', async () => {
    const limit = new ConcurrencyLimit({ min: 1, max: 2 });
    const [first, second] = await enterAll(limit, 2);
    const entered: string[] = [];
    const third = limit.enter(never).then((slot) => (entered.push('third'), slot));
    const fourth = limit.enter(never).then((slot) => (entered.push('fourth'), slot));
    first?.release('done');
    (await third)?.release('done');
    await fourth;
    second?.release('done');
    expect(entered).toEqual(['third', 'fourth']);
  });

  it('halves after a refusal, once for all calls that were under way together', async () => {
    const limit = new ConcurrencyLimit({ min: 1, max: 16 });
    for (const slot of await enterAll(limit, 16)) slot.release('overloaded');
    expect(limit.current).toBe(8);
    for (const slot of await enterAll(limit, 8)) slot.release('overloaded');
    expect(limit.current).toBe(4);
  });

  it('never falls below its least', async () => {
    const limit = new ConcurrencyLimit({ min: 2, max: 4 });
    for (let round = 0; round < 5; round += 1) for (const slot of await enterAll(limit, 1)) slot.release('overloaded');
    expect(limit.current).toBe(2);
  });

  it('grows by one with each round without trouble, up to its most', async () => {
    const limit = new ConcurrencyLimit({ min: 1, max: 6 });
    for (const slot of await enterAll(limit, 6)) slot.release('overloaded');
    const grown: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      for (const slot of await enterAll(limit, limit.current)) slot.release('done');
      grown.push(limit.current);
    }
    expect(grown).toEqual([3, 4, 5, 6, 6, 6]);
  });

  it('learns nothing from calls that began before the last cut', async () => {
    const limit = new ConcurrencyLimit({ min: 1, max: 4 });
    const [first, ...others] = await enterAll(limit, 4);
    first?.release('overloaded');
    for (const slot of others) slot.release('done');
    expect(limit.current).toBe(2);
  });

  it('forgets a call that no longer waits', async () => {
    const limit = new ConcurrencyLimit({ min: 1, max: 1 });
    const [first] = await enterAll(limit, 1);
    const impatient = new AbortController();
    const waiting = limit.enter(impatient.signal);
    const next = limit.enter(never);
    impatient.abort();
    expect(await waiting).toBeUndefined();
    first?.release('done');
    expect(await next).toBeDefined();
  });

  it('does not let a call in that has been given up already', async () => {
    expect(await new ConcurrencyLimit({ min: 1, max: 1 }).enter(AbortSignal.abort())).toBeUndefined();
  });
});
