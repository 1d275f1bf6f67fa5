import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../../test/support/fleet-builders.js';
import { Journal } from '../journal.js';
import { FleetState } from './fleet-state.js';
import { FleetTransaction } from './fleet-transaction.js';
import type { PodRecord } from './pod-record.js';
import { PodTable } from './pod-table.js';

const NODE = aNode('n', { devices: 4, cpu: 10 });

describe('pods that leave, and those that wait for them', () => {
  it('blocks what a pod without claim still occupies, until it is gone', () => {
    const table = new Table();
    table.add('old', { slots: [0, 1], cpu: 4 });
    table.leave('old');
    expect(table.free()).toEqual({ cpu: 6, slots: [0, 0, 1000, 1000] });
    table.gone('old');
    expect(table.free()).toEqual({ cpu: 10, slots: [1000, 1000, 1000, 1000] });
  });

  it('lets one that waits claim that place, and blocks only what it does not cover', () => {
    const table = new Table();
    table.add('old', { slots: [0, 1], cpu: 4 });
    table.leave('old');
    table.add('new', { slots: [0], cpu: 1, waitsFor: ['old'] });
    expect(table.free()).toEqual({ cpu: 6, slots: [0, 0, 1000, 1000] });
    table.gone('old');
    expect(table.free()).toEqual({ cpu: 9, slots: [0, 1000, 1000, 1000] });
  });

  it('blocks again when the waiting claim ends early, and the pod that never came blocks nothing besides', () => {
    const table = new Table();
    table.add('old', { slots: [0], cpu: 4 });
    table.leave('old');
    table.add('new', { slots: [0], cpu: 6, waitsFor: ['old'] });
    table.leave('new');
    expect(table.free()).toEqual({ cpu: 4, slots: [0, 1000, 1000, 1000] });
    table.gone('new');
    expect(table.free()).toEqual({ cpu: 6, slots: [0, 1000, 1000, 1000] });
  });

  it('lets one that waits for it follow a pod that never came: all of them need the place of one', () => {
    const table = new Table();
    table.add('old', { slots: [0], cpu: 4 });
    table.leave('old');
    table.add('new', { slots: [0], cpu: 4, waitsFor: ['old'] });
    table.leave('new');
    table.add('newest', { slots: [0], cpu: 6, waitsFor: ['old', 'new'] });
    expect(table.free()).toEqual({ cpu: 4, slots: [0, 1000, 1000, 1000] });
    table.gone('new');
    expect(table.free()).toEqual({ cpu: 4, slots: [0, 1000, 1000, 1000] });
    table.gone('old');
    expect(table.free()).toEqual({ cpu: 4, slots: [0, 1000, 1000, 1000] });
  });

  it('counts for each claim only those that it waits for', () => {
    const table = new Table();
    table.add('first', { slots: [0], cpu: 2 });
    table.leave('first');
    table.add('second', { slots: [1], cpu: 4 });
    table.leave('second');
    table.add('large', { slots: [0], cpu: 6, waitsFor: ['first'] });
    expect(table.free().cpu).toBe(0);
    table.gone('first');
    expect(table.free().cpu).toBe(0);
    table.gone('second');
    expect(table.free().cpu).toBe(4);
  });

  it('keeps a place that was given up in a set without answer, also when its pod is gone', () => {
    const table = new Table();
    table.add('old', { slots: [0, 1], cpu: 4 });
    table.change('old', { claim: 'yielded' });
    table.add('new', { slots: [0], cpu: 1, waitsFor: ['old'] });
    table.change('old', { occupancy: 'none' });
    expect(table.free()).toEqual({ cpu: 6, slots: [0, 0, 1000, 1000] });
    table.change('new', { claim: 'none', occupancy: 'none' });
    table.change('old', { claim: 'granted' });
    expect(table.free()).toEqual({ cpu: 6, slots: [0, 0, 1000, 1000] });
  });

  it('is the same in whatever order the pods were entered', () => {
    const table = new Table();
    table.add('new', { slots: [0], cpu: 6, waitsFor: ['old'] });
    table.add('old', { slots: [0], cpu: 4, claim: 'none', occupancy: 'leaving' });
    expect(table.free()).toEqual({ cpu: 4, slots: [0, 1000, 1000, 1000] });
  });

  it('forgets whom a pod waited for once it is there, or they are gone', () => {
    const table = new Table();
    table.add('old', { slots: [0], cpu: 1 });
    table.leave('old');
    table.add('one', { slots: [0], cpu: 1, waitsFor: ['old'] });
    table.add('two', { slots: [1], cpu: 1, waitsFor: ['old'] });
    table.change('two', { occupancy: 'present' });
    expect(table.find('two').waitsFor).toBeUndefined();
    table.gone('old');
    expect(table.find('one').waitsFor).toBeUndefined();
  });
});

interface Wish extends Partial<Pick<PodRecord, 'claim' | 'occupancy'>> {
  readonly slots: readonly number[];
  readonly cpu: number;
  readonly waitsFor?: readonly string[];
}

class Table {
  readonly #fleet = new FleetState(new Journal());
  readonly #pods = new PodTable(new FleetTransaction(this.#fleet));

  constructor() {
    this.#fleet.put(NODE);
  }

  add(name: string, { slots, cpu, waitsFor, claim = 'granted', occupancy = 'expected' }: Wish): void {
    const seat = {
      pod: refOf(name),
      node: 'n',
      slots: slots.map((slot) => ({ slot, milli: 1000 })),
      cpuMilli: cpu * 1000,
      memoryMib: 0,
    };
    const waits = waitsFor === undefined ? {} : { waitsFor: waitsFor.map(refOf) };
    this.#pods.add({ seat, claim, occupancy, started: false, ...waits }, 'to-take');
  }

  find(name: string): PodRecord {
    const pod = this.#pods.find(refOf(name));
    if (pod === undefined) throw new Error(`no pod ${name}`);
    return pod;
  }

  change(name: string, change: Parameters<PodTable['change']>[1]): void {
    this.#pods.change(this.find(name), change);
  }

  leave(name: string): void {
    this.change(name, { claim: 'none', occupancy: 'leaving' });
  }

  gone(name: string): void {
    this.change(name, { occupancy: 'none' });
  }

  free(): { readonly cpu: number; readonly slots: readonly number[] } {
    const row = this.#fleet.rowOf('n');
    const slots = [0, 1, 2, 3].map((slot) => this.#fleet.slotFree.at(this.#fleet.slotBase(row) + slot));
    return { cpu: this.#fleet.cpuFree.at(row) / 1000, slots };
  }
}

function refOf(workload: string) {
  return { workload, incarnation: 1, podSet: 'worker', index: 0 };
}
