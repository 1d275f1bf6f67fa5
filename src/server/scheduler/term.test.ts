import { describe, expect, it, jest } from '@jest/globals';
import { StaleEpochError } from './ledger.js';
import { Term } from './term.js';

const LEADERSHIP = { epoch: 7, holder: 'me' };

describe('a term of office', () => {
  it('is over when its lease has run out by the own clock, and goes on when that is renewed', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1000);
    const term = new Term(LEADERSHIP, 10_000, 1000);
    now.mockReturnValue(10_999);
    expect(term.isOver).toBe(false);
    now.mockReturnValue(11_000);
    expect(term.isOver).toBe(true);
    expect(() => {
      term.throwIfOver();
    }).toThrow(StaleEpochError);
    term.renewed(9000);
    expect(term.isOver).toBe(false);
    now.mockRestore();
  });

  it('is over once it was ended, with the first reason', () => {
    const term = new Term(LEADERSHIP, 10_000, performance.now());
    term.end(new Error('the database is gone'));
    term.end();
    expect(() => {
      term.throwIfOver();
    }).toThrow('the database is gone');
  });
});
