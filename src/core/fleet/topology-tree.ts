import type { NodeSpec, TopologyLevel } from '../contract/index.js';

/** A domain is a number: the whole fleet is 0, and a domain's own domains follow it directly, up to its `end`. */
export type DomainId = number;

/** A node as the tree needs it; given in rank order (by name). */
export interface PlacedNode {
  readonly row: number;
  readonly spec: NodeSpec;
}

interface Branch {
  readonly level: number;
  readonly name: string;
  /** Key of the domain one level in, to its branch; insertion order is rank order. */
  readonly branches: Map<string, Branch>;
  readonly row: number;
}

/**
 * The levels of the fleet and their domains. Ids run in preorder, so the inside of a domain is a range of ids, sums
 * run backwards over the ids, and equals are told apart by the rank of their first node. A domain is named by its
 * whole path: rack `r1` of two zones is two racks. A node without a domain at a level hangs from the next level out.
 */
export class TopologyTree {
  /** Outermost first; the last is `host`, where each node is its own domain. */
  readonly levels: readonly TopologyLevel[];
  readonly #parent: number[] = [];
  readonly #end: number[] = [];
  readonly #level: number[] = [];
  readonly #row: number[] = [];
  readonly #name: string[] = [];
  readonly #children: (readonly DomainId[])[] = [];
  readonly #atLevel: DomainId[][];
  readonly #hostOfRow: number[] = [];

  constructor(levels: readonly TopologyLevel[], nodes: readonly PlacedNode[]) {
    this.levels = [...levels.filter((level) => level !== 'host'), 'host'];
    this.#atLevel = this.levels.map(() => []);
    const root: Branch = { level: -1, name: 'fleet', branches: new Map(), row: -1 };
    for (const node of nodes) this.#plant(root, node);
    this.#number(root, -1);
  }

  get size(): number {
    return this.#parent.length;
  }

  /** The number of a level, outermost 0; -1 stands for the whole fleet, `undefined` for a level that is not there. */
  levelOf(level: TopologyLevel): number | undefined {
    const index = this.levels.indexOf(level);
    return index < 0 ? undefined : index;
  }

  /** The domains of a level in rank order; those of level -1 are the fleet alone. */
  domainsAt(level: number): readonly DomainId[] {
    return level < 0 ? [0] : (this.#atLevel[level] ?? []);
  }

  parentOf(domain: DomainId): DomainId {
    return this.#parent[domain] ?? -1;
  }

  /** One past the last id inside the domain. */
  endOf(domain: DomainId): DomainId {
    return this.#end[domain] ?? domain;
  }

  levelOfDomain(domain: DomainId): number {
    return this.#level[domain] ?? -1;
  }

  /** Does the domain lie in one of this level, or is it one? A node may be in no domain of a level. */
  isInside(domain: DomainId, level: number): boolean {
    return this.#outwards(domain, level) !== undefined;
  }

  /** The domain of this level that the node is in; `undefined` when it is in none. */
  domainOf(row: number, level: number): DomainId | undefined {
    return this.#outwards(this.hostOf(row), level);
  }

  /** The row of a host, -1 for other domains. */
  rowOf(domain: DomainId): number {
    return this.#row[domain] ?? -1;
  }

  nameOf(domain: DomainId): string {
    return this.#name[domain] ?? '';
  }

  childrenOf(domain: DomainId): readonly DomainId[] {
    return this.#children[domain] ?? [];
  }

  hostOf(row: number): DomainId {
    return this.#hostOfRow[row] ?? -1;
  }

  #outwards(domain: DomainId, level: number): DomainId | undefined {
    let at = domain;
    while (this.levelOfDomain(at) > level) at = this.parentOf(at);
    return this.levelOfDomain(at) === level ? at : undefined;
  }

  #plant(root: Branch, node: PlacedNode): void {
    let at = root;
    for (let level = 0; level < this.levels.length - 1; level++) {
      const name = node.spec.topology[this.levels[level] ?? ''];
      if (name === undefined) continue;
      at = branchTo(at, { level, name, row: -1 });
    }
    branchTo(at, { level: this.levels.length - 1, name: node.spec.name, row: node.row });
  }

  #number(branch: Branch, parent: DomainId): DomainId {
    const id = this.#parent.length;
    this.#parent.push(parent);
    this.#level.push(branch.level);
    this.#row.push(branch.row);
    this.#name.push(branch.name);
    this.#end.push(id + 1);
    this.#children.push([]);
    if (branch.level >= 0) this.#atLevel[branch.level]?.push(id);
    if (branch.row >= 0) this.#hostOfRow[branch.row] = id;
    const children: DomainId[] = [];
    for (const child of branch.branches.values()) children.push(this.#number(child, id));
    this.#children[id] = children;
    this.#end[id] = this.#parent.length;
    return id;
  }
}

function branchTo(from: Branch, to: { level: number; name: string; row: number }): Branch {
  const key = `${to.level} ${to.name}`;
  const known = from.branches.get(key);
  if (known !== undefined) return known;
  const branch: Branch = { ...to, branches: new Map() };
  from.branches.set(key, branch);
  return branch;
}
