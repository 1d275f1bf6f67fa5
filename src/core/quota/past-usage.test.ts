import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { Journal } from '../journal.js';
import { hourlyFactor } from './hourly-decay.js';
import { PastUsage } from './past-usage.js';

const HOUR = 3_600_000;

function aPast(halfLifeHours = 1): PastUsage {
  const past = new PastUsage(new Journal());
  past.setHalfLife(halfLifeHours * HOUR);
  return past;
}

function usedBy(past: PastUsage, queue: string, flavor = 'h100'): number {
  return new Map(past.of(queue)).get(flavor) ?? 0;
}

describe(PastUsage.name, () => {
  it('is the amount x the time within an hour', () => {
    const past = aPast();
    past.advance(1000);
    past.use({ queue: 'lab', flavor: 'h100', milli: 8000 });
    past.advance(11_000);
    expect(usedBy(past, 'lab')).toBe(80_000);
    past.use({ queue: 'lab', flavor: 'h100', milli: -8000 });
    past.advance(900_000);
    expect(usedBy(past, 'lab')).toBe(80_000);
    expect(usedBy(past, 'ops')).toBe(0);
    expect(usedBy(past, 'lab', 'a100')).toBe(0);
  });

  it('counts half after its half-life, at each whole hour', () => {
    const past = aPast(1);
    past.advance(0);
    past.use({ queue: 'lab', flavor: 'h100', milli: 1000 });
    past.advance(HOUR - 1);
    expect(usedBy(past, 'lab')).toBe(3_599_999);
    past.advance(HOUR);
    expect(usedBy(past, 'lab')).toBe(1_800_000);
    past.use({ queue: 'lab', flavor: 'h100', milli: -1000 });
    past.advance(3 * HOUR);
    expect(usedBy(past, 'lab')).toBe(450_000);
  });

  it('begins with what a queue is said to have used', () => {
    const past = aPast(1);
    past.advance(5 * HOUR);
    past.start('lab', { h100: 1_000_000 });
    past.advance(6 * HOUR);
    expect(usedBy(past, 'lab')).toBe(500_000);
    past.forget('lab');
    expect(usedBy(past, 'lab')).toBe(0);
  });

  it('does not run backwards, and nothing has lasted before the first time it is told', () => {
    const past = aPast();
    past.use({ queue: 'lab', flavor: 'h100', milli: 1000 });
    past.advance(1_800_000_000_000);
    expect(usedBy(past, 'lab')).toBe(0);
    past.advance(5000);
    expect(usedBy(past, 'lab')).toBe(0);
    expect(past.nowMs).toBe(1_800_000_000_000);
  });

  it('is undone with the charge when a trial is rolled back', () => {
    const journal = new Journal();
    const past = new PastUsage(journal);
    past.advance(0);
    past.use({ queue: 'lab', flavor: 'h100', milli: 1000 });
    past.advance(5000);
    const before = past.records();
    const mark = journal.mark();
    past.use({ queue: 'lab', flavor: 'h100', milli: 4000 });
    past.use({ queue: 'ops', flavor: 'h100', milli: 4000 });
    journal.rollbackTo(mark);
    expect(past.records()).toEqual(before);
  });

  const anyStep = fc.record({ waitMs: fc.nat(3 * HOUR), milli: fc.nat(64_000), asks: fc.array(fc.nat(3 * HOUR)) });

  it('is the same however often it is asked, restored in between or not, as an hour-by-hour sum says', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), fc.constantFrom(1, 24, 168), (steps, halfLife) => {
        const rarely = aPast(halfLife);
        let often = aPast(halfLife);
        const naive = new NaivePast(BigInt(hourlyFactor(halfLife)));
        let nowMs = 0;
        let using = 0;
        for (const { waitMs, milli, asks } of steps) {
          for (const askMs of [...asks].sort((a, b) => a - b)) {
            if (askMs < waitMs) often.advance(nowMs + askMs);
            const restored = aPast(halfLife);
            restored.use({ queue: 'lab', flavor: 'h100', milli: using });
            restored.restore(often.records(), often.nowMs);
            often = restored;
          }
          naive.pass(waitMs, using);
          nowMs += waitMs;
          for (const past of [rarely, often]) {
            past.advance(nowMs);
            past.use({ queue: 'lab', flavor: 'h100', milli: milli - using });
          }
          using = milli;
          expect(usedBy(often, 'lab')).toBe(usedBy(rarely, 'lab'));
          expect(usedBy(rarely, 'lab')).toBe(naive.used);
        }
        expect(often.records()).toEqual(rarely.records());
      }),
      lawCases(60),
    );
  });

  it('reaches over years without counting their hours one by one once nothing changes', () => {
    const past = aPast(168);
    past.advance(0);
    past.use({ queue: 'lab', flavor: 'h100', milli: 8000 });
    past.advance(200 * 365 * 24 * HOUR);
    const steady = usedBy(past, 'lab');
    past.advance(200 * 365 * 24 * HOUR + HOUR);
    expect(usedBy(past, 'lab')).toBe(steady);
  });
});

/** Millisecond sums and decay in big integers, hour by hour, for one queue. */
class NaivePast {
  #nowMs = 0;
  #total = 0n;
  #part = 0n;

  constructor(private readonly factor: bigint) {}

  get used(): number {
    return Number(this.#total + this.#part / 1000n);
  }

  pass(waitMs: number, using: number): void {
    for (let left = waitMs; left > 0;) {
      const step = Math.min(left, HOUR - (this.#nowMs % HOUR));
      this.#part += BigInt(using) * BigInt(step);
      this.#nowMs += step;
      left -= step;
      if (this.#nowMs % HOUR !== 0) continue;
      this.#total = ((this.#total + this.#part / 1000n) * this.factor) >> 32n;
      this.#part %= 1000n;
    }
  }
}
