import { invariant } from '../invariant.js';

/** Legal slices of one TPU generation, and how many of its chips a host has. */
interface TpuGeneration {
  readonly chipsPerHost: number;
  /** Topology, e.g. `2x2x2`, to its chips. */
  readonly chipsOf: ReadonlyMap<string, number>;
}

export interface HardwareCatalogue {
  /** Accelerator ids that the catalogue knows, sorted. */
  readonly models: readonly string[];
  readonly tpuGenerations: ReadonlyMap<string, TpuGeneration>;
}

export type TpuSlice =
  | { readonly kind: 'slice'; readonly hosts: number; readonly chips: number; readonly chipsPerHost: number }
  | { readonly kind: 'unknown-model'; readonly known: readonly string[] }
  | { readonly kind: 'unknown-topology'; readonly known: readonly string[] };

/**
 * The catalogue from the parsed `hardware/accelerators.json` and `hardware/tpu-slices.json`; reading them is the
 * caller's. Where the figures come from is said in those files and in `hardware/SOURCE.md`. Throws when a file has
 * another form: it is part of the program.
 */
export function hardwareCatalogue(accelerators: unknown, tpuSlices: unknown): HardwareCatalogue {
  const models = list(accelerators, 'accelerators').map((entry) => text(entry, 'id'));
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
  return { models: models.sort(), tpuGenerations };
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
