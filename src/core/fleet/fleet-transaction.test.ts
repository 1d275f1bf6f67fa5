import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { anyNodes } from '../../../test/support/core-world.js';
import { aFlavor, aNode, aPodSet } from '../../../test/support/fleet-builders.js';
import { Journal } from '../journal.js';
import { PodShape } from '../placement/index.js';
import { FleetState } from './fleet-state.js';
import { FleetTransaction } from './fleet-transaction.js';

describe(FleetTransaction.name, () => {
  it('counts devices that are wholly free, whatever shares are taken and given', () => {
    const tx = txOf([aNode('a', { devices: 4 })]);
    const row = tx.fleet.rowOf('a');
    const half = { row, cpuMilli: 0, memoryMib: 0, slots: [{ slot: 1, milli: 500 }] };
    tx.take(half);
    tx.take(half);
    expect(tx.fleet.wholeFree.at(row)).toBe(3);
    tx.give(half);
    expect(tx.fleet.wholeFree.at(row)).toBe(3);
    tx.give(half);
    expect(tx.fleet.wholeFree.at(row)).toBe(4);
  });

  it('restores every column when it rolls back, whatever was taken, given and opened', () => {
    const anyMove = fc.record({
      kind: fc.constantFrom('take', 'give', 'open'),
      node: fc.nat(5),
      slot: fc.nat(3),
      milli: fc.constantFrom(250, 500, 1000),
    });
    fc.assert(
      fc.property(anyNodes, fc.array(anyMove), fc.array(anyMove), (nodes, before, after) => {
        const tx = txOf(nodes);
        for (const move of before) makeMove(tx, move);
        const want = imageOf(tx.fleet);
        const mark = tx.mark();
        for (const move of after) makeMove(tx, move);
        tx.rollbackTo(mark);
        expect(imageOf(tx.fleet)).toEqual(want);
      }),
      lawCases(150),
    );
  });
});

describe(FleetState.name, () => {
  it('closes a node that is not healthy, cordoned or removed, and opens it again', () => {
    const { fleet } = txOf([aNode('a')]);
    const row = fleet.rowOf('a');
    const open = () => fleet.open.at(row);
    fleet.observe(row, { state: 'suspect' });
    expect(open()).toBe(0);
    fleet.observe(row, { state: 'healthy' });
    expect(open()).toBe(1);
    fleet.put(aNode('a', { unschedulable: true }));
    expect(open()).toBe(0);
    fleet.put(aNode('a'));
    fleet.observe(row, { removed: true });
    expect(open()).toBe(0);
    expect(fleet.tree.hostOf(row)).toBe(-1);
  });

  it('keeps what is held when a node changes its capacity or loses devices', () => {
    const tx = txOf([aNode('a', { devices: 4, cpu: 8 })]);
    const row = tx.fleet.rowOf('a');
    tx.take({ row, cpuMilli: 6000, memoryMib: 0, slots: [{ slot: 3, milli: 1000 }] });
    tx.fleet.put(aNode('a', { devices: 2, cpu: 4 }));
    expect([tx.fleet.cpuFree.at(row), tx.fleet.wholeFree.at(row)]).toEqual([-2000, 2]);
    tx.fleet.put(aNode('a', { devices: 8, cpu: 8 }));
    expect([tx.fleet.cpuFree.at(row), tx.fleet.wholeFree.at(row)]).toEqual([2000, 7]);
  });

  it('counts neither sick nor foreign devices as free, and foreign use of the rest', () => {
    const { fleet } = txOf([aNode('a', { devices: 4, cpu: 8 })]);
    const row = fleet.rowOf('a');
    fleet.observe(row, { sickSlots: [{ slot: 0, state: 'suspect' }] });
    fleet.observe(row, { foreignSlots: [1], foreignUse: { cpuMilli: 1000, memoryMib: 0, pods: 1 } });
    expect([fleet.wholeFree.at(row), fleet.cpuFree.at(row), fleet.podsFree.at(row)]).toEqual([2, 7000, 109]);
    fleet.observe(row, { foreignSlots: [], foreignUse: { cpuMilli: 0, memoryMib: 0, pods: 0 }, sickSlots: [] });
    expect([fleet.wholeFree.at(row), fleet.cpuFree.at(row), fleet.podsFree.at(row)]).toEqual([4, 8000, 110]);
  });

  it('gives the row of a node that is gone to another, without a trace', () => {
    const { fleet } = txOf([aNode('a', { devices: 4 }), aNode('b')]);
    const row = fleet.rowOf('a');
    fleet.drop(row);
    fleet.put(aNode('c', { devices: 2 }));
    expect([fleet.rowOf('c'), fleet.wholeFree.at(row), fleet.cpuFree.at(row)]).toEqual([row, 2, 96_000]);
    expect(fleet.names()).toEqual(['b', 'c']);
  });

  it('takes a node that comes back as new, though something of before kept its row', () => {
    const tx = txOf([aNode('a', { devices: 4, cpu: 8 })]);
    const row = tx.fleet.rowOf('a');
    tx.take({ row, cpuMilli: 1000, memoryMib: 0, slots: [{ slot: 0, milli: 1000 }] });
    const foreignUse = { cpuMilli: 2000, memoryMib: 0, pods: 1 };
    tx.fleet.observe(row, { state: 'draining', foreignUse, foreignSlots: [1], removed: true });
    tx.fleet.put(aNode('a', { devices: 4, cpu: 8 }));
    expect(tx.fleet.recordOf(row)).toMatchObject({ state: 'healthy', removed: false, foreignSlots: [] });
    expect([tx.fleet.wholeFree.at(row), tx.fleet.cpuFree.at(row), tx.fleet.open.at(row)]).toEqual([3, 7000, 1]);
  });

  it('numbers equal nodes as one class, and other flavors as another', () => {
    const { fleet } = txOf([aNode('a'), aNode('b'), aNode('c', { labels: { pool: 'x' } })]);
    const classes = () => ['a', 'b', 'c'].map((name) => fleet.classOf(fleet.rowOf(name)));
    const [a, b, c] = classes();
    expect(a === b && a !== c).toBe(true);
    fleet.setFlavor(aFlavor('special', { model: 'h100', nodeLabels: { pool: 'x' } }));
    expect(fleet.flavorsOf(fleet.rowOf('c')).devices).toEqual(['special']);
    expect(fleet.flavorsOf(fleet.rowOf('a')).devices).toEqual(['h100']);
  });

  it('gives the number of a class without nodes to another, which is judged anew', () => {
    const { fleet } = txOf([aNode('a')]);
    const row = fleet.rowOf('a');
    const shape = new PodShape(aPodSet({ nodeSelector: { beat: '7' } }), 'h100');
    const suits: string[] = [];
    for (let beat = 0; beat < 9; beat++) {
      fleet.put(aNode('a', { labels: { beat: String(beat) } }));
      suits.push(shape.suits(fleet, fleet.classOf(row)));
    }
    expect(fleet.classOf(row)).toBeLessThan(2);
    expect(suits).toEqual(['no', 'no', 'no', 'no', 'no', 'no', 'no', 'yes', 'no']);
  });
});

function txOf(nodes: Parameters<FleetState['put']>[0][]): FleetTransaction {
  const fleet = new FleetState(new Journal());
  fleet.setLevels(['zone', 'rack']);
  fleet.setFlavor(aFlavor('h100'));
  for (const node of nodes) fleet.put(node);
  return new FleetTransaction(fleet);
}

function makeMove(tx: FleetTransaction, move: { kind: string; node: number; slot: number; milli: number }): void {
  const names = tx.fleet.names();
  const row = tx.fleet.rowOf(names[move.node % names.length] ?? '');
  const slots = move.slot < tx.fleet.slotCount(row) ? [{ slot: move.slot, milli: move.milli }] : [];
  const holding = { row, cpuMilli: 100, memoryMib: 10, slots };
  if (move.kind === 'take') tx.take(holding);
  else if (move.kind === 'give') tx.give(holding);
  else tx.openNode(row);
}

function imageOf(fleet: FleetState): unknown {
  return fleet.names().map((name) => {
    const row = fleet.rowOf(name);
    const base = fleet.slotBase(row);
    const slots = Array.from({ length: fleet.slotCount(row) }, (_, slot) => [
      fleet.slotFree.at(base + slot),
      fleet.slotClosed.at(base + slot),
    ]);
    const columns = [fleet.open, fleet.cpuFree, fleet.memoryFree, fleet.podsFree, fleet.wholeFree];
    return [name, slots, columns.map((column) => column.at(row))];
  });
}
