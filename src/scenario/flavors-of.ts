import type { FlavorSpec } from '../core/index.js';
import { DEFAULT_MODEL, type FleetFile, type FleetFileNode } from '../fleet-file/fleet.schema.js';
import type { ScenarioEvent } from './event.schema.js';
import { amountsIn, type ScenarioQueue } from './queue.schema.js';
import { modelsOf, type ScenarioWorkload } from './workload.schema.js';

/** The one flavor without a model: what pods without devices are charged to, once a queue names it. */
export const CPU_FLAVOR = 'cpu';

/** The parts of a scenario that name flavors; `undefined` stands for one that is wrong in itself. */
export interface FlavorSources {
  readonly fleet: FleetFile | undefined;
  readonly queues: readonly (ScenarioQueue | undefined)[];
  readonly workloads: readonly (ScenarioWorkload | undefined)[];
  readonly events: readonly (ScenarioEvent | undefined)[];
}

/** The flavors that nodes, queues and pods name, at first or later. */
export interface FlavorsThere {
  readonly onNodes: ReadonlySet<string>;
  readonly inQueues: ReadonlySet<string>;
  readonly askedFor: ReadonlySet<string>;
}

export function flavorsThere({ fleet, queues, workloads, events }: FlavorSources): FlavorsThere {
  const happening = events.filter((event) => event !== undefined);
  const nodes = [...(fleet?.nodes ?? []), ...happening.flatMap(({ addNode }) => addNode ?? [])];
  const changes = happening.filter(({ queue }) => queue !== undefined);
  const submitted = [...workloads, ...happening.map(({ submit }) => submit)];
  return {
    onNodes: new Set(nodes.flatMap(modelsOn)),
    inQueues: new Set([...queues, ...changes].flatMap((queue) => amountsIn(queue ?? {}).map(({ flavor }) => flavor))),
    askedFor: new Set(submitted.flatMap((workload) => (workload?.pods ?? []).flatMap(modelsOf))),
  };
}

/** A flavor for each model of a node, a pod or a quota, and `cpu` where a queue names it; in code-unit order. */
export function flavorsOf(scenario: FlavorSources): readonly FlavorSpec[] {
  const { onNodes, inQueues, askedFor } = flavorsThere(scenario);
  const names = [...new Set([...onNodes, ...inQueues, ...askedFor])].sort();
  return names.map((name) => ({ name, ...(name === CPU_FLAVOR ? {} : { model: name }), nodeLabels: {} }));
}

function modelsOn({ accelerators, slice }: FleetFileNode): readonly string[] {
  if (slice !== undefined) return [slice.model];
  if (accelerators === undefined) return [DEFAULT_MODEL];
  return [accelerators].flat().flatMap(({ model, count }) => (count === 0 ? [] : [model]));
}
