import { tpuSlice, withCatalogued, type HardwareCatalogue } from '../core/fleet/index.js';
import type { Accelerators, NodeSpec, Taint, TopologyLevel } from '../core/index.js';
import { cpuMilliOf, memoryMibOf } from '../documents/quantity.js';
import { DEFAULT_MODEL, SLICE_LEVEL, TAINT, domainOf, levelsOf, namesOf } from './fleet.schema.js';
import type { FleetFile, FleetFileNode } from './fleet.schema.js';

export interface Fleet {
  /** Outermost first; `host` is the last. */
  readonly levels: readonly TopologyLevel[];
  readonly nodes: readonly NodeSpec[];
}

/** As Kubernetes' default for a node. */
const PODS_PER_NODE = 110;
const ACCELERATORS_PER_NODE = 8;

/** The nodes of a fleet file, in its order. */
export function fleetOf(file: FleetFile, catalogue: HardwareCatalogue): Fleet {
  const levels = levelsOf(file);
  return { levels, nodes: file.nodes.flatMap((entry) => nodesOf(entry, levels, catalogue)) };
}

/** The nodes that one entry stands for. */
export function nodesOf(
  entry: FleetFileNode,
  levels: readonly TopologyLevel[],
  catalogue: HardwareCatalogue,
): readonly NodeSpec[] {
  const domains = levels.flatMap((level): [string, string][] => {
    const domain = level === SLICE_LEVEL && entry.slice !== undefined ? entry.name : domainOf(entry, level);
    return domain === undefined ? [] : [[level, domain]];
  });
  const node: Omit<NodeSpec, 'name'> = {
    capacity: { cpuMilli: cpuMilliOf(entry.cpu), memoryMib: memoryMibOf(entry.memory), pods: PODS_PER_NODE },
    accelerators: acceleratorsOf(entry, catalogue)
      .filter(({ count }) => count > 0)
      .map((devices) => withCatalogued(catalogue, devices)),
    labels: entry.labels,
    taints: entry.taints.flatMap(taintOf),
    topology: Object.fromEntries(domains),
    unschedulable: false,
  };
  return namesOf(entry, catalogue).map((name) => ({ name, ...node }));
}

function acceleratorsOf({ accelerators, slice }: FleetFileNode, catalogue: HardwareCatalogue): readonly Accelerators[] {
  const found = slice === undefined ? undefined : tpuSlice(catalogue, slice.model, slice.topology);
  if (slice !== undefined && found?.kind === 'slice') return [{ model: slice.model, count: found.chipsPerHost }];
  if (accelerators === undefined) return [{ model: DEFAULT_MODEL, count: ACCELERATORS_PER_NODE }];
  const entries = [accelerators].flat().map(({ model, count, memory }): Accelerators => ({
    model,
    count,
    ...(memory !== undefined && { memoryMib: memoryMibOf(memory) }),
  }));
  return withoutTwins(entries);
}

/** Equal devices are one entry, at the place of the first: a pod's devices are all of one entry. */
function withoutTwins(entries: readonly Accelerators[]): readonly Accelerators[] {
  const distinct: Accelerators[] = [];
  for (const entry of entries) {
    const twin = distinct.findIndex(({ model, memoryMib }) => model === entry.model && memoryMib === entry.memoryMib);
    const first = distinct[twin];
    if (first === undefined) distinct.push(entry);
    else distinct[twin] = { ...first, count: first.count + entry.count };
  }
  return distinct;
}

function taintOf(text: string): Taint[] {
  const [, key, value = '', effect] = TAINT.exec(text) ?? [];
  if (key === undefined) return [];
  if (effect !== 'NoSchedule' && effect !== 'PreferNoSchedule' && effect !== 'NoExecute') return [];
  return [{ key, value, effect }];
}
