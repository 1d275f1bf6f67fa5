import type { Node } from '../server/fleet/fleet.schema.js';

export interface NodeGroup {
  /** The domain, e.g. `rack a`. */
  readonly name: string;
  readonly nodes: readonly Node[];
}

/** A slice is one thing although its nodes may stand in several racks, so it comes first. */
const LEVELS = ['slice', 'rack', 'block', 'zone'] as const;
const NO_DOMAIN = 'no rack';

/** The fleet as people walk it: racks, then slices, and last what stands nowhere; each by name. */
export function nodeGroups(nodes: Iterable<Node>): readonly NodeGroup[] {
  const groups = new Map<string, Node[]>();
  for (const node of nodes) {
    const name = domainOf(node);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [node]);
    else group.push(node);
  }
  return [...groups]
    .map(([name, members]) => ({ name, nodes: members.sort((a, b) => byName(a.name, b.name)) }))
    .sort((a, b) => Number(a.name === NO_DOMAIN) - Number(b.name === NO_DOMAIN) || byName(a.name, b.name));
}

function domainOf({ topology }: Node): string {
  for (const level of LEVELS) {
    const domain = topology[level];
    if (domain !== undefined) return `${level} ${domain}`;
  }
  return NO_DOMAIN;
}

/** `h100-2` before `h100-10`; equal numbers in code-unit order. */
function byName(a: string, b: string): number {
  return numerically.compare(a, b) || (a < b ? -1 : 1);
}

const numerically = new Intl.Collator('en', { numeric: true });
