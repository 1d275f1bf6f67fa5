import { describe, expect, it } from '@jest/globals';
import { ProgressMeter } from './progress-meter.js';

describe(ProgressMeter.name, () => {
  it('tells speed and time left', () => {
    let now = 100;
    const meter = new ProgressMeter(() => now, { steps: 200, batchSize: 32 }, 50);
    now = 102;
    expect(meter.age()).toBe(2);
    expect(meter.read(100)).toEqual({ step: 100, samplesPerSecond: 800, stepMillis: 40, remainingSeconds: 4 });
    expect(meter.age()).toBe(0);
  });

  it('forgets a slow start: ten seconds later it weighs a seventh', () => {
    let now = 0;
    const meter = new ProgressMeter(() => now, { steps: 10_000, batchSize: 1 }, 0);
    let step = 0;
    const run = (seconds: number, stepsPerSecond: number): number => {
      for (let tick = 0; tick < seconds * 10; tick += 1) {
        now += 0.1;
        step += stepsPerSecond / 10;
        meter.read(step);
      }
      return meter.read(step).samplesPerSecond;
    };
    expect(run(10, 10)).toBeCloseTo(10, 6);
    const afterTen = run(10, 100);
    expect(afterTen).toBeGreaterThan(85);
    expect(afterTen).toBeLessThan(100);
  });

  it('is 0 before anything is known, never infinite', () => {
    const meter = new ProgressMeter(() => 1, { steps: 10, batchSize: 4 }, 0);
    expect(meter.read(0)).toEqual({ step: 0, samplesPerSecond: 0, stepMillis: 0, remainingSeconds: 0 });
    expect(meter.read(5).samplesPerSecond).toBe(0);
  });
});
