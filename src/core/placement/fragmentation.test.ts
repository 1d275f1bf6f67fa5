import { describe, expect, it } from '@jest/globals';
import type { TypicalPod } from './fragmentation.js';
import { fragmentationOf, scoreOfGrowth } from './fragmentation.js';

const aKind = (wish: Partial<TypicalPod>): TypicalPod => {
  return { cpuMilli: 1000, deviceCount: 1, deviceMilli: 1000, flavors: [], pods: 1, ...wish };
};
const whole = aKind({});

/** By hand: pods of each kind x the idle milli that they have no use for. */
const cases: Record<string, { mix: readonly TypicalPod[]; devices: readonly number[]; cpu?: number; want: number }> = {
  'a whole device is of use to whoever asks for one': { mix: [whole], devices: [1000], want: 0 },
  'the rest of a device is of no use to whoever asks for a whole one': {
    mix: [whole],
    devices: [1000, 300],
    want: 300,
  },
  'a pod that cannot run for want of devices has no use for any': {
    mix: [aKind({ deviceCount: 2 })],
    devices: [1000, 900],
    want: 1900,
  },
  'a pod that cannot run for want of CPU has no use for any': {
    mix: [whole],
    devices: [1000, 300],
    cpu: 999,
    want: 1300,
  },
  'a pod without devices has no use for any': { mix: [aKind({ deviceCount: 0 })], devices: [1000, 300], want: 1300 },
  'a fraction has use for all with as much free': {
    mix: [aKind({ deviceMilli: 300 })],
    devices: [1000, 300, 299, 0],
    want: 299,
  },
  'other devices than it may use are of no use': { mix: [aKind({ flavors: ['l4'] })], devices: [1000], want: 1000 },
  'kinds count by their pods': {
    mix: [whole, aKind({ deviceMilli: 500, cpuMilli: 8000 }), aKind({ deviceCount: 0, pods: 2 })],
    devices: [1000, 300],
    cpu: 4000,
    want: 300 + 1300 + 2 * 1300,
  },
};

describe(fragmentationOf.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { mix, devices, cpu = 64_000, want }) => {
    expect(fragmentationOf(mix, { cpuMilli: cpu, groups: [{ flavor: 'h100', devices }] })).toBe(want);
  });

  it('adds up over the models of a node, each with its own uses', () => {
    const groups = [
      { flavor: 'h100', devices: [1000, 1000] },
      { flavor: 'l4', devices: [1000] },
    ];
    expect(fragmentationOf([aKind({ flavors: ['h100'], deviceCount: 2 })], { cpuMilli: 8000, groups })).toBe(1000);
  });
});

describe(scoreOfGrowth.name, () => {
  it('is floor(100 sigmoid(fall / 1000)) for any whole fall', () => {
    const falls = Array.from({ length: 18_001 }, (_, index) => index - 9000);
    const want = falls.map((fall) => Math.floor(100 / (1 + Math.exp(-fall / 1000))));
    expect(falls.map((fall) => scoreOfGrowth(fall + 10_000, 10_000, 1))).toEqual(want);
  });

  it('takes the expectation over the pods of the mix, by hand', () => {
    // 4,200 over four pods falls to 3,000: by 300 milli; or to 4,000: by 50 milli.
    expect([scoreOfGrowth(4200, 3000, 4), scoreOfGrowth(4200, 4000, 4), scoreOfGrowth(4200, 4200, 4)]).toEqual([
      57, 51, 50,
    ]);
  });
});
