import type { NodeSpec, TopologyLevel } from '../core/index.js';

/** The node's domain at a level, by its whole path: racks of one name in two zones are two. `undefined`: in none. */
export function domainPath(node: NodeSpec, level: TopologyLevel, levels: readonly TopologyLevel[]): string | undefined {
  if (level === levels.at(-1)) return node.name;
  const path = levels.slice(0, levels.indexOf(level) + 1).map((one) => node.topology[one]);
  return path.at(-1) === undefined ? undefined : JSON.stringify(path);
}
