import type { WorkCounts } from '../work-counts.js';
import type { ChangeLog } from './change-log.js';
import type { DomainId, TopologyTree } from './topology-tree.js';

/** What columns follow of the fleet. */
export interface JudgedFleet {
  readonly tree: TopologyTree;
  readonly changes: ChangeLog;
  readonly work: WorkCounts;
}

/** What one shape of pods makes of a node. Costs compare first by `cost`, then by `tie`; smaller is better. */
export interface NodeJudge {
  /** Another version judges by other rules: all nodes are judged again. */
  readonly version: () => number;
  /** Pods that fit there now. */
  readonly fits: (row: number) => number;
  /** Asked only where pods fit. */
  readonly cost: (row: number, fits: number) => number;
  readonly tie: (row: number) => number;
}

/**
 * What one shape makes of every node, kept from one placement to the next: pods that fit, with sums by domain, and the
 * cost of a node. Caught up when asked, by the log of changes, so a placement costs the nodes that changed since, and
 * not the fleet. Equal to a fresh look at every node, at any time, also inside of a trial.
 */
export class ShapeColumns {
  readonly #fleet: JudgedFleet;
  readonly #judge: NodeJudge;
  #tree: TopologyTree | undefined;
  #version = 0;
  #seen = 0;
  #sums = new Float64Array(0);
  #costs = new Float64Array(0);
  #ties = new Float64Array(0);

  constructor(fleet: JudgedFleet, judge: NodeJudge) {
    this.#fleet = fleet;
    this.#judge = judge;
  }

  /** By domain: the pods that fit inside it, each node by itself. Valid until the next change. */
  get sums(): Readonly<Float64Array> {
    return this.#sums;
  }

  /** By host, where pods fit. */
  get costs(): Readonly<Float64Array> {
    return this.#costs;
  }

  get ties(): Readonly<Float64Array> {
    return this.#ties;
  }

  catchUp(): void {
    const { tree, changes, work } = this.#fleet;
    const behind = changes.since(this.#seen);
    if (tree !== this.#tree || this.#judge.version() !== this.#version || behind > tree.size) {
      this.#rebuild(tree);
      work.nodesJudged += tree.size;
      work.rebuilds++;
    } else if (behind > 0) {
      for (let change = 0; change < behind; change++) this.#judgeAgain(tree, changes.rowAfter(this.#seen + change));
      work.nodesJudged += behind;
    }
    this.#seen = changes.read();
  }

  #rebuild(tree: TopologyTree): void {
    this.#tree = tree;
    this.#version = this.#judge.version();
    if (this.#sums.length === tree.size) this.#sums.fill(0);
    else {
      this.#sums = new Float64Array(tree.size);
      this.#costs = new Float64Array(tree.size);
      this.#ties = new Float64Array(tree.size);
    }
    const sums = this.#sums;
    for (let domain = tree.size - 1; domain >= 0; domain--) {
      const row = tree.rowOf(domain);
      if (row >= 0) sums[domain] = this.#judgeHost(domain, row);
      const parent = tree.parentOf(domain);
      if (parent >= 0) sums[parent] = (sums[parent] ?? 0) + (sums[domain] ?? 0);
    }
  }

  #judgeAgain(tree: TopologyTree, row: number): void {
    const host = tree.hostOf(row);
    if (host < 0) return;
    const sums = this.#sums;
    const more = this.#judgeHost(host, row) - (sums[host] ?? 0);
    if (more === 0) return;
    for (let domain = host; domain >= 0; domain = tree.parentOf(domain)) sums[domain] = (sums[domain] ?? 0) + more;
  }

  #judgeHost(host: DomainId, row: number): number {
    const fits = this.#judge.fits(row);
    if (fits > 0) {
      this.#costs[host] = this.#judge.cost(row, fits);
      this.#ties[host] = this.#judge.tie(row);
    }
    return fits;
  }
}

/** Shapes that have columns at one time: a bound on memory, of about 100 bytes for a node and shape. */
const SHAPES_MAX = 512;

/** The columns of the shapes asked for lately. Which ones are kept decides nothing: others are built when asked for. */
export class ShapeColumnsCache<Shape extends object> {
  /** From the one asked for longest ago to the last. */
  readonly #columns = new Map<Shape, ShapeColumns>();

  /** Caught up. */
  of(shape: Shape, create: () => ShapeColumns): ShapeColumns {
    const known = this.#columns.get(shape);
    const columns = known ?? create();
    if (known !== undefined) this.#columns.delete(shape);
    this.#columns.set(shape, columns);
    if (this.#columns.size > SHAPES_MAX) {
      for (const oldest of this.#columns.keys()) {
        this.#columns.delete(oldest);
        break;
      }
    }
    columns.catchUp();
    return columns;
  }

  clear(): void {
    this.#columns.clear();
  }
}
