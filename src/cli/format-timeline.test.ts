import { describe, expect, it } from '@jest/globals';
import type { TimelineRow } from '../scenario/timeline.js';
import { PIPE, formatTimeline } from './format-timeline.js';

const ROWS: readonly TimelineRow[] = [
  { atMs: 0, workloads: ['a'], what: 'starts, 2 pods', nodes: ['n-0', 'n-1'], tone: 'good' },
  { atMs: 1500, workloads: [], what: 'node is lost', nodes: ['n-0'], tone: 'bad' },
  { atMs: 1500, workloads: ['b', 'c'], what: 'waits for room (capacity)', nodes: [], tone: 'quiet' },
];

describe(formatTimeline.name, () => {
  it('says each time once, and nodes in short', () => {
    expect(formatTimeline(ROWS, PIPE).split('\n')).toEqual([
      'TIME   WORKLOAD   WHAT                        WHERE',
      '0s     a          starts, 2 pods              n-[0-1]',
      '1.5s              node is lost                n-0',
      '       b, c       waits for room (capacity)',
      '',
    ]);
  });

  it('has no line that is longer than the screen, and says where at least in part', () => {
    const wide: TimelineRow = {
      atMs: 0,
      workloads: ['x'.repeat(60)],
      what: 'y'.repeat(60),
      nodes: ['a-1', 'b-2', 'c-3', 'd-4'],
      tone: 'plain',
    };
    const lines = formatTimeline([wide], { columns: 80, colors: 'none' }).trimEnd().split('\n');
    expect(lines.map(({ length }) => length <= 80)).toEqual([true, true]);
    expect(lines[1]).toMatch(/^0s {5}x{23}… {3}y+… {3}a-1, b-2/);
  });

  it('has colors only where the screen has', () => {
    expect(formatTimeline(ROWS, PIPE)).not.toContain('\u001B');
    const [, good, bad] = formatTimeline(ROWS, { columns: 80, colors: 'some' }).split('\n');
    expect(good).toContain('\u001B[32m0s ');
    expect(bad).toContain('\u001B[31m1.5s ');
  });
});
