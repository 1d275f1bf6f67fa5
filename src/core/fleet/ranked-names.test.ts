import { describe, expect, it } from '@jest/globals';
import { RankedNames } from './ranked-names.js';

describe(RankedNames.name, () => {
  it('sorts by code units, and forgets whoever left, also when it came back', () => {
    const known = new Set<string>();
    const names = new RankedNames((name) => known.has(name));
    const enter = (name: string): void => {
      known.add(name);
      names.add(name);
    };
    ['b', 'a', 'B'].forEach(enter);
    expect(names.sorted()).toEqual(['B', 'a', 'b']);
    known.delete('a');
    known.delete('b');
    names.remove();
    enter('a');
    expect(names.sorted()).toEqual(['B', 'a']);
    expect(names.sorted()).toBe(names.sorted());
  });
});
