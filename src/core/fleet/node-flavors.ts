import type { FlavorName, FlavorSpec, NodeSpec } from '../contract/index.js';

/** What work on a node is charged to: its devices to one flavor for each model, its CPU to another. */
export interface NodeFlavors {
  /** One for each entry of the node's accelerators. */
  readonly devices: readonly (FlavorName | undefined)[];
  readonly cpu?: FlavorName;
}

/**
 * One flavor for each model and one for CPU at most, so that a claim alone tells its charge when the core is rebuilt: of
 * those that match, the one with the most labels; of equals, the first of `flavors` (sorted by name).
 */
export function flavorsOfNode(node: NodeSpec, flavors: readonly FlavorSpec[]): NodeFlavors {
  const devices = node.accelerators.map(({ model }) =>
    mostSpecific(
      node,
      flavors.filter((flavor) => flavor.model === model),
    ),
  );
  const cpu = mostSpecific(
    node,
    flavors.filter(({ model }) => model === undefined),
  );
  return { devices, ...(cpu === undefined ? {} : { cpu }) };
}

function mostSpecific(node: NodeSpec, flavors: readonly FlavorSpec[]): FlavorName | undefined {
  let best: FlavorSpec | undefined;
  for (const flavor of flavors) {
    const labels = Object.entries(flavor.nodeLabels);
    if (!labels.every(([key, value]) => node.labels[key] === value)) continue;
    if (best === undefined || labels.length > Object.keys(best.nodeLabels).length) best = flavor;
  }
  return best?.name;
}
