import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../test/support/core-laws.js';
import { Journal } from './journal.js';

describe(Journal.name, () => {
  it('takes back everything since a mark, and nothing before it', () => {
    const journal = new Journal();
    const column = journal.column(7);
    column.set(3, 1);
    const mark = journal.mark();
    column.add(3, 4);
    column.set(200, 9);
    expect([column.at(3), column.at(200), column.at(4)]).toEqual([5, 9, 7]);
    journal.rollbackTo(mark);
    expect([column.at(3), column.at(200)]).toEqual([1, 7]);
  });

  it('restores any columns after any changes, from any nesting of marks', () => {
    const anyWrite = fc.tuple(fc.nat(2), fc.nat(40), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.array(anyWrite), fc.array(anyWrite), (before, after) => {
        const journal = new Journal();
        const columns = [journal.column(), journal.column(5), journal.column(-1)];
        const write = ([column, row, value]: readonly [number, number, number, boolean]) =>
          columns[column]?.set(row, value);
        before.forEach(write);
        const image = () => columns.map((column) => Array.from({ length: 41 }, (_, row) => column.at(row)));
        const want = image();
        const mark = journal.mark();
        for (const change of after) {
          const inner = journal.mark();
          write(change);
          if (change[3]) journal.rollbackTo(inner);
        }
        journal.rollbackTo(mark);
        expect(image()).toEqual(want);
      }),
      lawCases(200),
    );
  });

  it('forgets at a commit what can no longer be undone', () => {
    const journal = new Journal();
    const column = journal.column();
    column.set(0, 1);
    journal.commit();
    expect(journal.mark()).toBe(0);
    journal.rollbackTo(0);
    expect(column.at(0)).toBe(1);
  });

  it('refuses a mark that was passed already', () => {
    const journal = new Journal();
    const column = journal.column();
    column.set(0, 1);
    const late = journal.mark();
    journal.rollbackTo(0);
    expect(() => {
      journal.rollbackTo(late);
    }).toThrow('rolled back once');
  });
});
