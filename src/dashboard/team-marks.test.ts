import { describe, expect, it } from '@jest/globals';
import { teamMarks } from './team-marks.js';

describe(teamMarks.name, () => {
  it('gives sixteen teams sixteen looks, the second eight with stripes', () => {
    const marks = teamMarks(Array.from({ length: 16 }, (_, index) => `team-${index}`));
    const looks = [...marks.values()].map(({ color, pattern }) => `${color} ${pattern}`);
    expect(new Set(looks).size).toBe(16);
    expect(marks.get('team-0')?.color).toBe(marks.get('team-8')?.color);
    expect(marks.get('team-8')?.pattern).toBe('striped');
  });
});
