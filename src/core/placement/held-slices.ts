import type { FleetState } from '../fleet/index.js';
import { WHOLE_DEVICE_MILLI } from '../fleet/index.js';
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

/** The nodes of the slice that the node is in, itself among them: what one of them gives up may open them all. */
export function sliceMates(fleet: FleetState, row: number): readonly number[] {
  const { tree } = fleet;
  const level = tree.levelOf(SLICE_LEVEL);
  let at = tree.hostOf(row);
  if (level === undefined || at < 0 || !tree.isInside(at, level)) return [row];
  while (tree.levelOfDomain(at) > level) at = tree.parentOf(at);
  const mates: number[] = [];
  for (let domain = at; domain < tree.endOf(at); domain++) if (tree.rowOf(domain) >= 0) mates.push(tree.rowOf(domain));
  return mates;
}

function holdsDevice(fleet: FleetState, row: number): boolean {
  const base = fleet.slotBase(row);
  for (let slot = base; slot < base + fleet.slotCount(row); slot++) {
    if (fleet.slotFree.at(slot) !== WHOLE_DEVICE_MILLI) return true;
  }
  return false;
}
