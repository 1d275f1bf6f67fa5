import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lawCases } from '../../../test/support/core-laws.js';
import { aNode, aPodSet } from '../../../test/support/fleet-builders.js';
import { FleetState, FleetTransaction } from '../fleet/index.js';
import type { Mark } from '../journal.js';
import { Journal } from '../journal.js';
import { chooseSlots } from './choose-slots.js';
import { podsThatFit } from './feasible-nodes.js';
import { FitSums, mayFit } from './fit-sums.js';
import type { PodShape } from './pod-shape.js';
import { ShapeBook } from './pod-shape.js';
import { costOfNode, tieOfNode } from './score-node.js';

const NODES = 6;
const NOBODY: ReadonlySet<number> = new Set();

/** Whatever may happen to a fleet, inside of trials and outside. */
const anyChange = fc.record({
  kind: fc.constantFrom('take', 'take', 'take', 'give', 'mark', 'rollback', 'commit', 'put', 'close', 'drop', 'ask'),
  node: fc.nat(NODES - 1),
  pick: fc.nat(99),
});

const SHAPES = [
  aPodSet({ gpus: 1 }),
  aPodSet({ gpus: 2, cpu: 3 }),
  aPodSet({ gpus: 1, milli: 300 }),
  aPodSet({ gpus: 0, cpu: 2, tolerations: [{ operator: 'Exists' }] }),
];

class Fleet {
  readonly journal = new Journal();
  readonly fleet = new FleetState(this.journal);
  readonly tx = new FleetTransaction(this.fleet);
  readonly shapes: readonly PodShape[];
  readonly #marks: { readonly mark: Mark; readonly held: number }[] = [];
  readonly #held: (() => void)[] = [];

  constructor() {
    const book = new ShapeBook();
    this.shapes = SHAPES.map((podSet) => book.shapeOf(podSet, undefined));
    this.fleet.setLevels(['zone', 'rack', 'host']);
    for (let node = 0; node < NODES; node++) this.put(node, node);
  }

  put(node: number, pick: number): void {
    this.fleet.put(
      aNode(`n${node}`, {
        devices: [4, 2, 0, 4][pick % 4] ?? 4,
        cpu: 4 + (pick % 5),
        zone: `z${pick % 2}`,
        ...(pick % 3 === 0 ? {} : { rack: `r${pick % 3}` }),
        taints: pick % 7 === 1 ? [{ key: 'old', value: '', effect: 'PreferNoSchedule' }] : [],
      }),
    );
  }

  change({ kind, node, pick }: { readonly kind: string; readonly node: number; readonly pick: number }): void {
    const { fleet, tx } = this;
    const name = `n${node}`;
    const shape = this.shapes[pick % this.shapes.length];
    if (kind === 'mark') this.#marks.push({ mark: tx.mark(), held: this.#held.length });
    if (kind === 'rollback') this.#rollBack();
    if (kind === 'ask') this.check(pick);
    if (kind === 'put' && this.#marks.length === 0) this.put(node, pick);
    if (kind === 'commit' && this.#marks.length === 0) this.journal.commit();
    if (!fleet.has(name) || shape === undefined) return;
    const row = fleet.rowOf(name);
    if (kind === 'take' && podsThatFit(fleet, shape, row) > 0) {
      const { cpuMilli, memoryMib } = shape;
      const holding = { row, cpuMilli, memoryMib, slots: chooseSlots(fleet, shape, row) };
      tx.take(holding);
      this.#held.push(() => {
        tx.give(holding);
      });
    }
    // What a trial gives would have to be held again after it.
    if (kind === 'give' && this.#marks.length === 0) this.#held.pop()?.();
    if (this.#marks.length > 0) return;
    if (kind === 'close') fleet.observe(row, { state: pick % 2 === 0 ? 'suspect' : 'healthy' });
    if (kind === 'drop' && pick < 20) fleet.observe(row, { removed: true });
  }

  /** The kept columns against a look at each node. */
  check(pick: number): void {
    const { fleet } = this;
    const shape = this.shapes[pick % this.shapes.length];
    if (shape === undefined) return;
    const sums = new FitSums({ fleet, shape, avoid: NOBODY });
    const { tree } = fleet;
    const want = Array.from({ length: tree.size }, () => 0);
    for (let domain = tree.size - 1; domain >= 0; domain--) {
      const row = tree.rowOf(domain);
      if (row >= 0) want[domain] = podsThatFit(fleet, shape, row);
      if (domain > 0) want[tree.parentOf(domain)] = (want[tree.parentOf(domain)] ?? 0) + (want[domain] ?? 0);
    }
    expect(want.map((_room, domain) => sums.of(domain))).toEqual(want);
    const hosts = want.flatMap((fits, domain) => (fits > 0 && tree.rowOf(domain) >= 0 ? [domain] : []));
    const score = (host: number) => {
      const at = { row: tree.rowOf(host), fits: want[host] ?? 0 };
      return [costOfNode(fleet, shape, at), tieOfNode(fleet, shape, at.row)];
    };
    expect(hosts.map((host) => [sums.costOf(host), sums.tieOf(host)])).toEqual(hosts.map(score));
    const liked = new FitSums({ fleet, shape, avoid: NOBODY, nodes: 'liked' });
    const likedHosts = hosts.filter((host) => shape.suits(fleet, fleet.classOf(tree.rowOf(host))) === 'yes');
    expect(liked.of(0)).toBe(likedHosts.reduce((room, host) => room + (want[host] ?? 0), 0));
    const most = Math.max(0, ...tree.domainsAt(1).map((rack) => want[rack] ?? 0));
    const answers = [most, most + 1].map((need) => mayFit(fleet, { shape, need: Math.max(1, need), level: 1 }));
    expect(answers).toEqual([most > 0, false]);
  }

  #rollBack(): void {
    const last = this.#marks.pop();
    if (last === undefined) return;
    this.tx.rollbackTo(last.mark);
    this.#held.length = last.held;
  }
}

describe(FitSums.name, () => {
  it('equals a fresh look at every node after any changes, trials and rollbacks', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 80, size: 'max' }), (changes) => {
        const fleet = new Fleet();
        for (const change of changes) fleet.change(change);
        for (let shape = 0; shape < SHAPES.length; shape++) fleet.check(shape);
      }),
      lawCases(100),
    );
  });

  it('leaves out avoided rows, and counts whole slices, without touching what is kept', () => {
    const { fleet, shapes } = new Fleet();
    const [shape] = shapes;
    if (shape === undefined) throw new Error('there are shapes');
    const row = fleet.rowOf('n0');
    const host = fleet.tree.hostOf(row);
    const all = new FitSums({ fleet, shape, avoid: NOBODY });
    const without = new FitSums({ fleet, shape, avoid: new Set([row]) });
    expect([without.of(host), all.of(0) - without.of(0)]).toEqual([0, all.of(host)]);
    const slices = new FitSums({ fleet, shape, avoid: NOBODY, slices: { level: 0, size: 3 } });
    const zones = fleet.tree.domainsAt(0);
    expect(zones.map((zone) => slices.of(zone))).toEqual(zones.map((zone) => all.of(zone) - (all.of(zone) % 3)));
  });
});
