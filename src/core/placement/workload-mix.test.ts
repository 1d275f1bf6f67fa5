import { describe, expect, it } from '@jest/globals';
import { aPodSet } from '../../../test/support/fleet-builders.js';
import { WorkloadMix } from './workload-mix.js';

function submit(mix: WorkloadMix, times: number, gpus: number): void {
  for (let time = 0; time < times; time++) mix.count([aPodSet({ gpus })]);
}

describe(WorkloadMix.name, () => {
  it('is unknown before 1,000 submissions, then made of the most frequent kinds', () => {
    const mix = new WorkloadMix();
    submit(mix, 600, 1);
    submit(mix, 360, 2);
    submit(mix, 39, 4);
    expect([mix.renew(), mix.typical.length]).toEqual(['as-before', 0]);
    submit(mix, 1, 8);
    expect(mix.renew()).toBe('new');
    expect(mix.typical.map(({ deviceCount, pods }) => [deviceCount, pods])).toEqual([
      [1, 600],
      [2, 360],
    ]);
    expect(mix.podsInMix).toBe(960);
  });

  it('counts pods, and what came earlier half', () => {
    const mix = new WorkloadMix();
    submit(mix, 999, 1);
    mix.count([aPodSet({ gpus: 8, count: 999 })]);
    mix.renew();
    expect(mix.typical.map(({ deviceCount, pods }) => [deviceCount, pods])).toEqual([
      [1, 999],
      [8, 999],
    ]);
    submit(mix, 1000, 1);
    mix.renew();
    expect(mix.typical.map(({ deviceCount, pods }) => [deviceCount, pods])).toEqual([
      [1, 1499],
      [8, 499],
    ]);
  });

  it('goes on from its record as if nothing had happened', () => {
    const mix = new WorkloadMix();
    submit(mix, 1000, 1);
    mix.renew();
    submit(mix, 500, 2);
    const copy = new WorkloadMix();
    copy.restore(mix.record());
    for (const each of [mix, copy]) {
      submit(each, 500, 4);
      each.renew();
    }
    expect(copy.record()).toEqual(mix.record());
    expect(copy.podsInMix).toBe(mix.podsInMix);
  });
});
