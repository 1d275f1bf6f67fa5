import { describe, expect, it } from '@jest/globals';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { DelayLine } from './delay-line.js';

function aLine(): { readonly timers: ManualTimers; readonly line: DelayLine<string>; readonly due: string[] } {
  const [timers, due] = [new ManualTimers(), [] as string[]];
  return { timers, due, line: new DelayLine(timers, 1000, (item) => due.push(item)) };
}

describe(DelayLine.name, () => {
  it('lets each item go when its own time has passed, with one timer', () => {
    const { timers, line, due } = aLine();
    line.add('a');
    timers.advance(400);
    line.add('b');
    expect(timers.alarmsSet).toBe(1);
    timers.advance(600);
    expect(due).toEqual(['a']);
    timers.advance(400);
    expect(due).toEqual(['a', 'b']);
    expect(timers.alarmsSet).toBe(0);
  });

  it('counts anew for an item that comes again, and forgets one that is removed', () => {
    const { timers, line, due } = aLine();
    for (const item of ['a', 'b', 'c']) line.add(item);
    timers.advance(500);
    line.add('a');
    expect([line.remove('b'), line.remove('b'), line.first]).toEqual([true, false, 'c']);
    timers.advance(500);
    expect(due).toEqual(['c']);
    timers.advance(500);
    expect(due).toEqual(['c', 'a']);
  });

  it('may be given items by whoever is told that one is due', () => {
    const timers = new ManualTimers();
    const due: string[] = [];
    const line = new DelayLine<string>(timers, 1000, (item) => {
      due.push(item);
      if (due.length < 3) line.add(item);
    });
    line.add('a');
    timers.advance(2999);
    expect(due).toEqual(['a', 'a']);
    timers.advance(1);
    expect(due).toEqual(['a', 'a', 'a']);
  });

  it('lets nothing go after it has stopped', () => {
    const { timers, line, due } = aLine();
    line.add('a');
    line.stop();
    timers.advance(5000);
    expect(due).toEqual([]);
    expect(timers.alarmsSet).toBe(0);
  });
});
