import type { NodeSpec } from '../contract/index.js';
import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
import { isSameData } from '../same-data.js';
import type { AvoidedRows } from './feasible-nodes.js';
import type { PodShape } from './pod-shape.js';

/** The level whose domains are given whole: the hosts of a TPU slice are wired to one another and to nobody else. */
const SLICE_LEVEL = 'slice';
const NONE: AvoidedRows = new Set();

/**
 * Nodes that gangs of these shapes keep away from, beside those they avoid: of slices with several hosts on which
 * somebody holds a device. `own`: rows on which the gang itself stands; where it is, it may take more.
 */
export function withoutHeldSlices(
  fleet: FleetState,
  shapes: readonly PodShape[],
  { avoid, own = NONE }: { readonly avoid: AvoidedRows; readonly own?: AvoidedRows },
): AvoidedRows {
  const { tree } = fleet;
  const level = tree.levelOf(SLICE_LEVEL);
  if (level === undefined || !shapes.some(({ deviceCount }) => deviceCount > 0)) return avoid;
  const rows = new Set(avoid);
  for (const slice of tree.domainsAt(level)) {
    const hosts: number[] = [];
    for (let domain = slice; domain < tree.endOf(slice); domain++) {
      const row = tree.rowOf(domain);
      if (row >= 0) hosts.push(row);
    }
    const isOthers = hosts.some((row) => holdsDevice(fleet, row)) && !hosts.some((row) => own.has(row));
    if (hosts.length > 1 && isOthers) for (const row of hosts) rows.add(row);
  }
  return rows.size === avoid.size ? avoid : rows;
}

/**
 * Is the node one of a slice, so that what it gives up may open its neighbours too? A node that is gone counts as one.
 * Asks no topology: a burst of node events must not build it anew each time.
 */
export function mayOpenNeighbours(fleet: FleetState, row: number): boolean {
  const spec = fleet.specAt(row);
  return spec === undefined || spec.topology[SLICE_LEVEL] !== undefined;
}

/** Is the node one of a slice no more, so that its neighbours may be open to others? `after`: absent when it is gone. */
export function hasLeftSlice(before: NodeSpec, after?: NodeSpec): boolean {
  return before.topology[SLICE_LEVEL] !== undefined && !isSameData(before.topology, after?.topology);
}

function holdsDevice(fleet: FleetState, row: number): boolean {
  const base = fleet.slotBase(row);
  for (let slot = base; slot < base + fleet.slotCount(row); slot++) {
    if (fleet.slotFree.at(slot) !== WHOLE_DEVICE_MILLI) return true;
  }
  return false;
}
