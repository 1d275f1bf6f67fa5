import type { SlotShare } from '../contract/index.js';
import type { DomainId } from '../fleet/index.js';
import type { Slices } from './fit-sums.js';
import type { PodShape } from './pod-shape.js';

/** One pod on its node. */
export interface PlacedPod {
  readonly row: number;
  readonly slots: readonly SlotShare[];
}

/** Pods of one shape that stand together: one pod set in one flavor. */
export interface GangPart {
  readonly shape: PodShape;
  /** All of these or none. */
  readonly need: number;
  /** The region is chosen with room for these, where there is one; only `need` are placed. */
  readonly want: number;
  /** The outermost level allowed; -1: the whole fleet, `undefined`: a level that no node has. */
  readonly limit: number | undefined;
  /** The level not left while one of its domains holds the part; then the next one out, and so on. */
  readonly preferred?: number | undefined;
  /** `need` and `want` are whole slices. */
  readonly slices?: Slices | undefined;
}

export interface PlacedPart {
  readonly pods: readonly PlacedPod[];
  /** Where they stand; they may grow here first. */
  readonly region: DomainId;
}
