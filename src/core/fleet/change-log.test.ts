import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../../test/support/fleet-builders.js';
import { Journal } from '../journal.js';
import { ChangeLog } from './change-log.js';
import { FleetState } from './fleet-state.js';
import { FleetTransaction } from './fleet-transaction.js';

describe(ChangeLog.name, () => {
  it('names a row once until somebody has read it', () => {
    const log = new ChangeLog();
    log.touch(7);
    log.touch(7);
    const seen = log.read();
    log.touch(7);
    log.touch(8);
    expect([seen, log.since(0), log.since(seen)]).toEqual([1, 3, 2]);
    expect([0, 1, 2].map((version) => log.rowAfter(version))).toEqual([7, 7, 8]);
  });

  it('keeps the last changes only, and says so to whoever is too far behind', () => {
    const log = new ChangeLog();
    for (let row = 0; row <= 16_384; row++) log.touch(row);
    expect([log.since(0), log.since(1), log.rowAfter(1)]).toEqual([Infinity, 16_384, 1]);
  });

  it('names the node of a seat that is taken, and again when that is rolled back', () => {
    const fleet = new FleetState(new Journal());
    const tx = new FleetTransaction(fleet);
    fleet.put(aNode('a'));
    fleet.put(aNode('b'));
    const row = fleet.rowOf('b');
    const mark = tx.mark();
    const before = fleet.changes.read();
    tx.take({ row, cpuMilli: 1, memoryMib: 1, slots: [{ slot: 2, milli: 500 }] });
    const taken = fleet.changes.read();
    tx.rollbackTo(mark);
    const log = fleet.changes;
    expect([taken - before, log.read() - taken, log.rowAfter(before), log.rowAfter(taken)]).toEqual([1, 1, row, row]);
  });
});
