import { describe, expect, it } from '@jest/globals';
import { formatAge, formatDuration } from './age.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

const cases: Record<string, { seconds: number; want: string }> = {
  'counts seconds up to two minutes': { seconds: 119.9, want: '119s' },
  'adds the seconds up to ten minutes': { seconds: 5 * MINUTE + 3, want: '5m3s' },
  'leaves a zero out': { seconds: 5 * MINUTE, want: '5m' },
  'counts minutes up to three hours': { seconds: 2 * HOUR + 59 * MINUTE, want: '179m' },
  'adds the minutes up to eight hours': { seconds: 3 * HOUR + 5 * MINUTE, want: '3h5m' },
  'counts hours up to two days': { seconds: 47 * HOUR, want: '47h' },
  'adds the hours up to eight days': { seconds: 2 * DAY + 5 * HOUR, want: '2d5h' },
  'counts days up to two years': { seconds: 700 * DAY, want: '700d' },
  'adds the days to years': { seconds: 740 * DAY, want: '2y10d' },
  'knows no future: clocks differ': { seconds: -4, want: '0s' },
};

describe(formatDuration.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { seconds, want }) => {
    expect(formatDuration(seconds)).toBe(want);
  });
});

describe(formatAge.name, () => {
  it('says how long ago a timestamp was', () => {
    expect(formatAge('2026-01-01T00:00:00.000Z', Date.parse('2026-01-01T00:00:30.500Z'))).toBe('30s');
  });

  it('shows a dash for what has not happened', () => {
    expect(formatAge(undefined, 0)).toBe('-');
  });
});
