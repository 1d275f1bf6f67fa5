import type { Accelerators, PartitionProfile } from '../contract/index.js';
import { invariant } from '../invariant.js';
import { EIGHTHS } from './fleet-state.js';

/** Legal slices of one TPU generation, and how many of its chips a host has. */
interface TpuGeneration {
  readonly chipsPerHost: number;
  /** Topology, e.g. `2x2x2`, to its chips. */
  readonly chipsOf: ReadonlyMap<string, number>;
}

/** One device of a model. */
interface CataloguedDevice {
  /** What of its memory a process may use, as far as that is known, else what it is sold with. */
  readonly memoryMib?: number;
  /** Partitions that it may be cut into; empty: none. */
  readonly profiles: readonly PartitionProfile[];
}

export interface HardwareCatalogue {
  /** By the id of the accelerator. */
  readonly devices: ReadonlyMap<string, CataloguedDevice>;
  readonly tpuGenerations: ReadonlyMap<string, TpuGeneration>;
}

/** The parsed files of `hardware/`. */
interface CatalogueFiles {
  readonly accelerators: unknown;
  readonly migProfiles: unknown;
  readonly tpuSlices: unknown;
}

export type TpuSlice =
  | { readonly kind: 'slice'; readonly hosts: number; readonly chips: number; readonly chipsPerHost: number }
  | { readonly kind: 'unknown-model'; readonly known: readonly string[] }
  | { readonly kind: 'unknown-topology'; readonly known: readonly string[] };

/**
 * The catalogue from its files; reading them is the caller's. Where the figures come from is said in those files and in
 * `hardware/SOURCE.md`. Throws when a file has another form: it is part of the program.
 */
export function hardwareCatalogue({ accelerators, migProfiles, tpuSlices }: CatalogueFiles): HardwareCatalogue {
  const profilesOf = new Map<string, readonly PartitionProfile[]>();
  for (const model of list(migProfiles, 'models')) {
    profilesOf.set(text(model, 'accelerator'), list(model, 'profiles').map(profileOf));
  }
  const devices = new Map<string, CataloguedDevice>();
  for (const entry of list(accelerators, 'accelerators')) {
    const id = text(entry, 'id');
    const memoryMib = memoryOf(field(entry, 'figures'));
    const profiles = profilesOf.get(id) ?? [];
    devices.set(id, { ...(memoryMib === undefined ? {} : { memoryMib }), profiles });
  }
  const tpuGenerations = new Map<string, TpuGeneration>();
  for (const generation of list(tpuSlices, 'generations')) {
    const chipsOf = new Map<string, number>();
    for (const shape of list(generation, 'shapes')) chipsOf.set(text(shape, 'topology'), count(shape, 'chips'));
    const further = field(generation, 'furtherTopologies') === undefined ? [] : list(generation, 'furtherTopologies');
    for (const topology of further) {
      invariant(typeof topology === 'string', 'a topology is a text', { topology });
      chipsOf.set(topology, productOf(topology));
    }
    const chipsPerHost = count(field(generation, 'rules'), 'chipsPerHost');
    tpuGenerations.set(text(generation, 'accelerator'), { chipsPerHost, chipsOf });
  }
  return { devices, tpuGenerations };
}

/** The hosts of a slice and the chips that each of them has; a slice smaller than a host is one host of that size. */
export function tpuSlice(catalogue: HardwareCatalogue, model: string, topology: string): TpuSlice {
  const generation = catalogue.tpuGenerations.get(model);
  if (generation === undefined) return { kind: 'unknown-model', known: [...catalogue.tpuGenerations.keys()].sort() };
  const chips = generation.chipsOf.get(topology);
  if (chips === undefined) return { kind: 'unknown-topology', known: [...generation.chipsOf.keys()] };
  const chipsPerHost = Math.min(chips, generation.chipsPerHost);
  return { kind: 'slice', chips, chipsPerHost, hosts: chips / chipsPerHost };
}

/** The partitions that a device of the model may be cut into; none of a model that is not known. */
export function partitionsOf({ devices }: HardwareCatalogue, model: string): readonly PartitionProfile[] {
  return devices.get(model)?.profiles ?? [];
}

/** The devices with what the catalogue knows of their model and they do not tell themselves. */
export function withCatalogued(catalogue: HardwareCatalogue, devices: Accelerators): Accelerators {
  const known = catalogue.devices.get(devices.model);
  if (known === undefined) return devices;
  const { memoryMib, profiles } = known;
  return {
    ...(memoryMib === undefined ? {} : { memoryMib }),
    ...(profiles.length === 0 ? {} : { profiles }),
    ...devices,
  };
}

const MIB_OF = { GB: 1_000_000_000 / 1_048_576, GiB: 1024 };
const MEMORY_FIGURES = ['memoryVisible', 'memoryUsable', 'memoryMarketed'];

/** In whole MiB; the first figure that has a value. */
function memoryOf(figures: unknown): number | undefined {
  for (const name of MEMORY_FIGURES) {
    for (const unit of ['GB', 'GiB'] as const) {
      const value = field(field(figures, `${name}${unit}`), 'value');
      if (typeof value === 'number') return Math.floor(value * MIB_OF[unit]);
    }
  }
  return undefined;
}

function profileOf(profile: unknown): PartitionProfile {
  const eighths = count(profile, 'eighths');
  const positions = list(profile, 'positions').map((position) => {
    const isPlace = typeof position === 'number' && Number.isSafeInteger(position) && position >= 0;
    invariant(isPlace && position + eighths <= EIGHTHS, 'a partition lies on its device', { position, eighths });
    return position;
  });
  return { name: text(profile, 'name'), eighths, positions };
}

function productOf(topology: string): number {
  return topology.split('x').reduce((product, side) => product * Number(side), 1);
}

function field(from: unknown, key: string): unknown {
  return typeof from === 'object' && from !== null ? Object.getOwnPropertyDescriptor(from, key)?.value : undefined;
}

function list(from: unknown, key: string): readonly unknown[] {
  const value = field(from, key);
  invariant(Array.isArray(value), 'the catalogue has a list', { key });
  return value;
}

function text(from: unknown, key: string): string {
  const value = field(from, key);
  invariant(typeof value === 'string', 'the catalogue has a text', { key });
  return value;
}

function count(from: unknown, key: string): number {
  const value = field(from, key);
  invariant(typeof value === 'number' && Number.isSafeInteger(value) && value > 0, 'the catalogue has a count', {
    key,
  });
  return value;
}
