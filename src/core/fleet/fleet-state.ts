import type {
  FlavorName,
  FlavorSpec,
  NodeName,
  NodeSpec,
  NodeState,
  Resources,
  TopologyLevel,
} from '../contract/index.js';
import { invariant } from '../invariant.js';
import type { Column, Journal } from '../journal.js';
import { compareText } from '../text-order.js';
import { noWork } from '../work-counts.js';
import { ChangeLog } from './change-log.js';
import { flavorsOfNode } from './node-flavors.js';
import type { NodeFlavors } from './node-flavors.js';
import type { SlotGroup } from './device-slots.js';
import { slotGroups, slotTotal } from './device-slots.js';
import { nodeClassKey } from './node-class.js';
import { RankedNames } from './ranked-names.js';
import { ShapeColumnsCache } from './shape-columns.js';
import { StandingPods } from './standing-pods.js';
import type { PlacedNode } from './topology-tree.js';
import { TopologyTree } from './topology-tree.js';

export const WHOLE_DEVICE_MILLI = 1000;
/** A device's memory counts in eighths, as MIG cuts it; a partition lies on some in a row. */
export const EIGHTHS = 8;
/** Stands behind the eighths of a slot: held while partitions and other shares come after one another on it. */
export const MIXED = 8;
const CUTS = EIGHTHS + 1;

/** A node as it was told, and what was seen of it; amounts are in the columns. */
export interface NodeRecord {
  readonly spec: NodeSpec;
  readonly state: NodeState;
  /** Gone from the fleet; the row stays while pods of before may still be there. */
  readonly removed: boolean;
  readonly foreignUse: Resources;
  readonly foreignSlots: readonly number[];
  /** Slots that are suspect or failed. */
  readonly sickSlots: readonly { readonly slot: number; readonly state: 'suspect' | 'failed' }[];
}

/** A node of a class, or one that was. */
export interface NodeExample {
  readonly spec: NodeSpec;
  readonly flavors: NodeFlavors;
  readonly slotGroups: readonly SlotGroup[];
}

/** Nodes that are alike for every pod. */
interface NodeClass extends NodeExample {
  readonly key: string;
  rows: number;
}

const NO_FLAVORS: NodeFlavors = { devices: [] };
const NO_USE: Resources = { cpuMilli: 0, memoryMib: 0, pods: 0 };
/** What is known of a node of which nothing but its spec was told. */
const UNSEEN = { state: 'healthy', foreignUse: NO_USE, foreignSlots: [], sickSlots: [] } as const;

/**
 * What there is and how much of it is free. A node is a row; its amounts are columns of the journal, so a trial can be
 * undone; what is told about it is a record, which trials never touch. Free amounts are signed: foreign pods and
 * lowered capacities may take them below zero, which placement reads as "does not fit".
 *
 * Held = claimed or occupied, by a pod of ours: `take` and `give` of `FleetTransaction` move it, once per pod.
 */
export class FleetState {
  readonly journal: Journal;
  /** Rows of which an amount, the class or the record changed. */
  readonly changes = new ChangeLog();
  /** What shapes make of the nodes, by the shape. */
  readonly columns = new ShapeColumnsCache<object>();
  /** What was done to answer; nothing is decided by it. */
  readonly work = noWork();
  /** 1 when the node takes new work: healthy, schedulable, present. */
  readonly open: Column;
  readonly cpuFree: Column;
  readonly memoryFree: Column;
  readonly podsFree: Column;
  /** Slots that are healthy and wholly free. */
  readonly wholeFree: Column;
  /** By slot: thousandths not held. */
  readonly slotFree: Column;
  /** By slot: eighths held by partitions, each as often as it is held. */
  readonly slotCut: Column;
  readonly #cutHeld: Column;
  /** By slot: 1 when it takes no work, whoever holds it: sick, foreign, or more than the node now has. */
  readonly slotClosed: Column;
  /** Of the pods that stand, what the rules of others ask. */
  readonly standing: StandingPods;
  readonly #records: (NodeRecord | undefined)[] = [];
  readonly #rowOfName = new Map<NodeName, number>();
  readonly #names = new RankedNames((name) => this.#rowOfName.has(name));
  readonly #slotBase: number[] = [];
  readonly #slotCount: number[] = [];
  readonly #rowOfSlot: number[] = [];
  readonly #classOfRow: (number | undefined)[] = [];
  readonly #classIds = new Map<string, number>();
  readonly #classes: NodeClass[] = [];
  readonly #freeClasses: number[] = [];
  readonly #flavorsOfRow: NodeFlavors[] = [];
  readonly #freeRows: number[] = [];
  readonly #flavors = new Map<FlavorName, FlavorSpec>();
  #slotRows = 0;
  #classEpoch = 0;
  #levels: readonly TopologyLevel[] = [];
  #tree: TopologyTree | undefined;

  constructor(journal: Journal) {
    this.journal = journal;
    // Every column of the fleet tells of its changes: what is kept per node is caught up by them.
    const ofNode = (row: number): void => {
      this.changes.touch(row);
    };
    const ofSlot = (slot: number): void => {
      this.changes.touch(this.#rowOfSlot[slot] ?? -1);
    };
    this.open = journal.column(0, ofNode);
    this.cpuFree = journal.column(0, ofNode);
    this.memoryFree = journal.column(0, ofNode);
    this.podsFree = journal.column(0, ofNode);
    this.wholeFree = journal.column(0, ofNode);
    this.slotFree = journal.column(WHOLE_DEVICE_MILLI, ofSlot);
    this.slotClosed = journal.column(0, ofSlot);
    this.slotCut = journal.column(0, ofSlot);
    this.standing = new StandingPods(journal);
    // Never changed but together with the slot.
    this.#cutHeld = journal.column(0);
  }

  /** Topology of all nodes that are not removed; built when asked for after a change. */
  get tree(): TopologyTree {
    if (this.#tree === undefined) {
      const nodes: PlacedNode[] = [];
      for (const name of this.names()) {
        const row = this.rowOf(name);
        const { spec, removed } = this.recordOf(row);
        if (!removed) nodes.push({ row, spec });
      }
      this.#tree = new TopologyTree(this.#levels, nodes);
    }
    return this.#tree;
  }

  /** All names in rank order, removed nodes that still hold pods included. */
  names(): readonly NodeName[] {
    return this.#names.sorted();
  }

  has(name: NodeName): boolean {
    return this.#rowOfName.has(name);
  }

  rowOf(name: NodeName): number {
    const row = this.#rowOfName.get(name);
    invariant(row !== undefined, 'the node is known', { name });
    return row;
  }

  /** `undefined`: the row holds no node any more. */
  specAt(row: number): NodeSpec | undefined {
    return this.#records[row]?.spec;
  }

  recordOf(row: number): NodeRecord {
    const record = this.#records[row];
    invariant(record !== undefined, 'the row holds a node', { row });
    return record;
  }

  /** A node of the class, with its flavors. */
  exampleOf(nodeClass: number): NodeExample {
    const example = this.#classes[nodeClass];
    invariant(example !== undefined, 'the class is known', { nodeClass });
    return example;
  }

  /** Classes are numbered from 0. */
  get classCount(): number {
    return this.#classes.length;
  }

  /** Rises when the number of a forgotten class is given to another: what is known by number is out of date. */
  get classEpoch(): number {
    return this.#classEpoch;
  }

  /** Nodes of one class are equal in all that makes a pod able to run there, free amounts aside. */
  classOf(row: number): number {
    return this.#classOfRow[row] ?? -1;
  }

  flavorsOf(row: number): NodeFlavors {
    return this.#flavorsOfRow[row] ?? NO_FLAVORS;
  }

  /** The slots that the node has, those that are alike together. */
  slotGroupsOf(row: number): readonly SlotGroup[] {
    return this.#classes[this.classOf(row)]?.slotGroups ?? [];
  }

  slotBase(row: number): number {
    return this.#slotBase[row] ?? 0;
  }

  slotCount(row: number): number {
    return this.#slotCount[row] ?? 0;
  }

  flavors(): readonly FlavorSpec[] {
    return [...this.#flavors.values()].sort((a, b) => compareText(a.name, b.name));
  }

  flavor(name: FlavorName): FlavorSpec | undefined {
    return this.#flavors.get(name);
  }

  setLevels(levels: readonly TopologyLevel[]): void {
    this.#levels = levels;
    this.#tree = undefined;
  }

  setFlavor(flavor: FlavorSpec): void {
    this.#flavors.set(flavor.name, flavor);
    this.#classifyAll();
  }

  removeFlavor(name: FlavorName): boolean {
    const known = this.#flavors.delete(name);
    if (known) this.#classifyAll();
    return known;
  }

  /**
   * Adds the node, or tells its new shape; what pods hold there stays held. One that was removed comes back as new:
   * whether something of before kept its row alive must make no difference.
   */
  put(spec: NodeSpec): void {
    const row = this.#rowOfName.get(spec.name) ?? this.#newRow(spec.name);
    if (this.#records[row]?.removed === true) this.observe(row, UNSEEN);
    const before = this.#records[row];
    const old = before?.spec.capacity ?? NO_USE;
    if (before === undefined || before.removed || !isSamePlace(before.spec, spec)) this.#tree = undefined;
    this.cpuFree.add(row, spec.capacity.cpuMilli - old.cpuMilli);
    this.memoryFree.add(row, spec.capacity.memoryMib - old.memoryMib);
    this.podsFree.add(row, spec.capacity.pods - old.pods);
    this.#fitSlots(row, slotTotal(spec));
    this.#records[row] = {
      ...(before ?? UNSEEN),
      spec,
      removed: false,
    };
    this.#classify(row);
    this.refresh(row);
  }

  /** Replaces what was seen of the node; free amounts follow. */
  observe(row: number, seen: Partial<Omit<NodeRecord, 'spec'>>): void {
    const before = this.recordOf(row);
    const after = { ...before, ...seen };
    this.cpuFree.add(row, before.foreignUse.cpuMilli - after.foreignUse.cpuMilli);
    this.memoryFree.add(row, before.foreignUse.memoryMib - after.foreignUse.memoryMib);
    this.podsFree.add(row, before.foreignUse.pods - after.foreignUse.pods);
    this.#records[row] = after;
    if (after.removed !== before.removed) this.#tree = undefined;
    this.refresh(row);
  }

  /** Forgets a removed node that holds nothing; its row may serve another. */
  drop(row: number): void {
    const { spec } = this.recordOf(row);
    for (const column of [this.cpuFree, this.memoryFree, this.podsFree, this.wholeFree, this.open]) column.set(row, 0);
    this.#rowOfName.delete(spec.name);
    this.#names.remove();
    this.#leaveClass(row);
    this.#records[row] = undefined;
    this.#freeRows.push(row);
    this.#tree = undefined;
  }

  /** Whether the node takes work, and which of its slots: after a change of record or of a slot. */
  refresh(row: number): void {
    const record = this.recordOf(row);
    const takesWork = record.state === 'healthy' && !record.spec.unschedulable && !record.removed;
    this.open.set(row, takesWork ? 1 : 0);
    const has = slotTotal(record.spec);
    const closed = new Set([...record.foreignSlots, ...record.sickSlots.map(({ slot }) => slot)]);
    const base = this.slotBase(row);
    let whole = 0;
    for (let slot = 0; slot < this.slotCount(row); slot++) {
      const isClosed = slot >= has || closed.has(slot);
      this.slotClosed.set(base + slot, isClosed ? 1 : 0);
      if (!isClosed && this.slotFree.at(base + slot) === WHOLE_DEVICE_MILLI) whole++;
    }
    this.wholeFree.set(row, whole);
  }

  #newRow(name: NodeName): number {
    const row = this.#freeRows.pop() ?? this.#records.length;
    this.#rowOfName.set(name, row);
    this.#names.add(name);
    this.#records[row] = undefined;
    return row;
  }

  /** Room for a pod found on slots that the node no longer tells of: they are held, and closed. */
  ensureSlots(row: number, count: number): void {
    this.#fitSlots(row, count);
    this.refresh(row);
  }

  /** How many hold this eighth of the slot, or `MIXED`. */
  cutHeld(slot: number, eighth: number): number {
    return this.#cutHeld.at(slot * CUTS + eighth);
  }

  /** For `FleetTransaction`. */
  cut(slot: number, eighth: number, times: number): void {
    this.slotCut.add(slot, times);
    this.#cutHeld.add(slot * CUTS + eighth, times);
  }

  /** Slots that vanish stay, closed, for what still holds them; when they become more the block moves. */
  #fitSlots(row: number, count: number): void {
    const had = this.slotCount(row);
    if (count <= had) return;
    const from = this.slotBase(row);
    const to = this.#slotRows;
    this.#slotRows += count;
    for (let slot = 0; slot < count; slot++) {
      this.#rowOfSlot[to + slot] = row;
      this.slotFree.set(to + slot, slot < had ? this.slotFree.at(from + slot) : WHOLE_DEVICE_MILLI);
      for (let eighth = 0; eighth < CUTS; eighth++) {
        if (slot < had) this.cut(to + slot, eighth, this.cutHeld(from + slot, eighth));
      }
    }
    this.#slotBase[row] = to;
    this.#slotCount[row] = count;
    this.changes.touch(row);
  }

  #classify(row: number): void {
    const { spec } = this.recordOf(row);
    const flavors = flavorsOfNode(spec, this.flavors());
    const key = nodeClassKey(spec, flavors);
    this.#flavorsOfRow[row] = flavors;
    const known = this.#classIds.get(key);
    if (known !== undefined && known === this.#classOfRow[row]) return;
    this.#leaveClass(row);
    const nodeClass = known ?? this.#newClass(key, { spec, flavors, slotGroups: slotGroups(spec, flavors.devices) });
    const members = this.#classes[nodeClass];
    if (members !== undefined) members.rows++;
    this.#classOfRow[row] = nodeClass;
    this.changes.touch(row);
  }

  #newClass(key: string, example: NodeExample): number {
    const free = this.#freeClasses.pop();
    if (free !== undefined) this.#classEpoch++;
    const nodeClass = free ?? this.#classes.length;
    this.#classIds.set(key, nodeClass);
    this.#classes[nodeClass] = { ...example, key, rows: 0 };
    return nodeClass;
  }

  /** A class without nodes is forgotten: a label that changes all the time must not fill the memory. */
  #leaveClass(row: number): void {
    const nodeClass = this.#classOfRow[row];
    const members = nodeClass === undefined ? undefined : this.#classes[nodeClass];
    this.#classOfRow[row] = undefined;
    if (nodeClass === undefined || members === undefined || --members.rows > 0) return;
    this.#classIds.delete(members.key);
    this.#freeClasses.push(nodeClass);
  }

  #classifyAll(): void {
    for (const row of this.#rowOfName.values()) this.#classify(row);
  }
}

/** Does the node stay where it is in the topology? */
function isSamePlace(a: NodeSpec, b: NodeSpec): boolean {
  const levels = Object.keys(a.topology);
  if (levels.length !== Object.keys(b.topology).length) return false;
  return levels.every((level) => a.topology[level] === b.topology[level]);
}
