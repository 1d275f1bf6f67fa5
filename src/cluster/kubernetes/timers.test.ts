import { describe, expect, it } from '@jest/globals';
import { systemTimers } from './timers.js';

const HOUR_MS = 3_600_000;

describe('the timers of the system', () => {
  it('wake a sleeper when the time has passed', async () => {
    const beganAtMs = systemTimers.now();
    await systemTimers.sleep(5, new AbortController().signal);
    expect(systemTimers.now() - beganAtMs).toBeGreaterThanOrEqual(4);
  });

  it('wake a sleeper who has to stop, and let nobody sleep who has to stop already', async () => {
    const stop = new AbortController();
    const sleeping = systemTimers.sleep(HOUR_MS, stop.signal);
    stop.abort();
    await sleeping;
    await systemTimers.sleep(HOUR_MS, stop.signal);
  });

  it('call at a deadline, unless it has been cancelled', async () => {
    const called: string[] = [];
    const cancel = systemTimers.after(1, () => called.push('cancelled'));
    cancel();
    await new Promise<void>((resolve) => {
      systemTimers.after(5, () => {
        called.push('met');
        resolve();
      });
    });
    expect(called).toEqual(['met']);
  });
});
