/**
 * What there is and who holds it. Promises: used = sum of what pods hold, at every node; a slot is free only with
 * neither claim nor occupancy; a rollback restores every column. Read `fleet-state.ts` first, then
 * `fleet-transaction.ts` (the only way to take and give), `pod-table.ts` (claims and occupancy) and `leaving-hold.ts`.
 */
export { EIGHTHS, FleetState, WHOLE_DEVICE_MILLI } from './fleet-state.js';
export type { NodeExample, NodeRecord } from './fleet-state.js';
export { groupOfSlot, slotGroups, slotTotal } from './device-slots.js';
export { freePositions, isCut, isFreePlace } from './device-partitions.js';
export type { SlotGroup } from './device-slots.js';
export { FleetTransaction } from './fleet-transaction.js';
export type { Holding } from './fleet-transaction.js';
export { hardwareCatalogue, partitionsOf, tpuSlice, withCatalogued } from './hardware-catalogue.js';
export type { HardwareCatalogue } from './hardware-catalogue.js';
export { isClaimed, nameOf } from './leaving-hold.js';
export { PodTable } from './pod-table.js';
export type { PodChange, PodOutcome, PodRecord } from './pod-record.js';
export { ShapeColumns } from './shape-columns.js';
export type { StandingPod } from './standing-pods.js';
export type { DomainId, TopologyTree } from './topology-tree.js';
