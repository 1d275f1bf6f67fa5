import { describe, expect, it } from '@jest/globals';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { WriteQueue, type QueuedWrite, type WriteQueueLimits } from './write-queue.js';

const LIMITS: WriteQueueLimits = {
  itemsMax: 2,
  itemsAtOnce: 1,
  pace: { perSecond: 10, burst: 100 },
  triesMax: 2,
  timeoutMs: 1000,
};

function aQueue(limits: Partial<WriteQueueLimits> = {}, timers = new ManualTimers()): WriteQueue {
  return new WriteQueue({ timers, random: () => 0, report: () => undefined, limits: { ...LIMITS, ...limits } });
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes that each last until they are told to end. */
class Writes {
  readonly begun: string[] = [];
  private ends: (() => void)[] = [];

  of(name: string): QueuedWrite {
    return {
      calls: 1,
      run: async () => {
        this.begun.push(name);
        await new Promise<void>((resolve) => this.ends.push(resolve));
      },
    };
  }

  async endFirst(): Promise<void> {
    this.ends.shift()?.();
    await rest();
  }
}

describe(WriteQueue.name, () => {
  it('begins no more at once than its limit, in the order in which they came', async () => {
    const [queue, writes] = [aQueue(), new Writes()];
    for (const name of ['a', 'b', 'c']) queue.add({}, writes.of(name));
    expect(writes.begun).toEqual(['a']);
    await writes.endFirst();
    expect(writes.begun).toEqual(['a', 'b']);
    await writes.endFirst();
    await writes.endFirst();
    expect(writes.begun).toEqual(['a', 'b', 'c']);
  });

  it('takes no more than may wait', () => {
    const [queue, writes] = [aQueue(), new Writes()];
    expect(['a', 'b', 'c', 'd'].map((name) => queue.add({}, writes.of(name)))).toEqual([true, true, true, false]);
  });

  it('says whether what is removed had begun', async () => {
    const [queue, writes] = [aQueue(), new Writes()];
    const [first, second] = [{}, {}];
    queue.add(first, writes.of('a'));
    queue.add(second, writes.of('b'));
    expect([queue.remove(first), queue.remove(second), queue.remove(second)]).toEqual([false, true, false]);
    await writes.endFirst();
    expect(writes.begun).toEqual(['a']);
  });

  it('waits for its pace after a burst', async () => {
    const timers = new ManualTimers();
    const queue = aQueue({ itemsAtOnce: 9, itemsMax: 9, pace: { perSecond: 10, burst: 2 } }, timers);
    const writes = new Writes();
    for (const name of ['a', 'b', 'c', 'd']) queue.add({}, writes.of(name));
    expect(writes.begun).toEqual(['a', 'b']);
    timers.advance(100);
    expect(writes.begun).toEqual(['a', 'b', 'c']);
    await writes.endFirst();
    expect(writes.begun).toEqual(['a', 'b', 'c']);
    timers.advance(100);
    expect(writes.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives up what is under way when it stops', async () => {
    const queue = aQueue();
    const outcomes: string[] = [];
    queue.add(
      {},
      {
        calls: 1,
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              reject(new Error('stopped'));
            });
          }),
        end: (outcome) => outcomes.push(outcome),
      },
    );
    await queue.stop();
    expect(outcomes).toEqual(['given-up']);
    expect(queue.add({}, new Writes().of('late'))).toBe(false);
  });
});
