import type { NodeSpec, PodSetSpec } from '../../src/core/index.js';

/** Pods of one pod set by node. */
export type PodsByNode = ReadonlyMap<string, number>;

/** May so many pods of the set stand on these nodes, as its topology asks? By counting domain by domain. */
export function isWellPlaced(nodes: readonly NodeSpec[], { topology }: PodSetSpec, pods: PodsByNode): boolean {
  if (topology === undefined || topology.kind === 'preferred') return true;
  const domains = new Map<string, number>();
  for (const [name, count] of pods) {
    if (count === 0) continue;
    const domain =
      topology.level === 'host' ? name : nodes.find((node) => node.name === name)?.topology[topology.level];
    if (domain === undefined) return false;
    domains.set(domain, (domains.get(domain) ?? 0) + count);
  }
  if (topology.kind === 'required') return domains.size <= 1;
  return [...domains.values()].every((count) => count % topology.size === 0);
}

/** Is there any way to place the minimum of all sets, whole devices of one model alone? By trying every one. */
export function hasAnyPlace(nodes: readonly NodeSpec[], podSets: readonly PodSetSpec[]): boolean {
  const free = new Map(nodes.map(({ name, accelerators }) => [name, accelerators[0]?.count ?? 0]));
  return canPlaceAll(nodes, podSets, free);
}

function canPlaceAll(
  nodes: readonly NodeSpec[],
  podSets: readonly PodSetSpec[],
  free: ReadonlyMap<string, number>,
): boolean {
  const [podSet, ...others] = podSets;
  if (podSet === undefined) return true;
  const each = podSet.devices?.count ?? 0;
  return waysToPut([...free], podSet.minCount, each).some((pods) => {
    const left = new Map([...free].map(([name, devices]) => [name, devices - each * (pods.get(name) ?? 0)]));
    return isWellPlaced(nodes, podSet, pods) && canPlaceAll(nodes, others, left);
  });
}

function waysToPut(free: readonly (readonly [string, number])[], count: number, each: number): readonly PodsByNode[] {
  const [first, ...others] = free;
  if (first === undefined) return count === 0 ? [new Map()] : [];
  const [name, devices] = first;
  const most = Math.min(count, Math.floor(devices / each));
  return Array.from({ length: most + 1 }, (_, pods) => pods).flatMap((pods) =>
    waysToPut(others, count - pods, each).map((rest) => new Map([[name, pods], ...rest])),
  );
}
