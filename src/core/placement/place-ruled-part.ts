import type { DomainId, FleetTransaction } from '../fleet/index.js';
import type { AvoidedRows } from './feasible-nodes.js';
import { FitSums } from './fit-sums.js';
import type { GangPart, PlacedPart, PlacedPod } from './gang-part.js';
import { takeSeat } from './take-seat.js';
import { PodRules } from './pod-rules.js';
import type { PodShape } from './pod-shape.js';
import { PREFERRED } from './score-node.js';

/** Nodes looked at for one part: a bound on its work, whatever the size of the fleet. */
const STEPS_MAX = 5_000_000;
/** What the scores of kube-scheduler reach, and what they count there. */
const SCORE_MAX = 100;
const SCORE_WEIGHT = 2;

type RuledPart = GangPart & { readonly limit: number };

interface Where {
  readonly within: DomainId;
  readonly avoid: AvoidedRows;
}

/**
 * Takes the seats of all `need` pods or of none, one pod after the other, each where its rules allow it then and the
 * score is best: rules of pods look at one another, so no sums tell what fits. Domains of the required or preferred
 * level are tried one after the other, the least room that is enough first; so are those in which a gang that must stand
 * with itself may begin. Exact for one pod; of more, a place may be missed.
 */
export function placeRuledPart(tx: FleetTransaction, part: RuledPart, where: Where): PlacedPart | undefined {
  const filler = new RuledFiller(tx, part.shape, where.avoid);
  const { limit, preferred = -1, slices, need } = part;
  if (slices !== undefined) {
    const start = tx.mark();
    const pods = filler.fillSlices(where.within, { level: slices.level, size: slices.size, count: need });
    if (pods.length === need) return { pods, region: where.within };
    tx.rollbackTo(start);
    return undefined;
  }
  for (let level = Math.max(limit, preferred); level >= limit; level--) {
    for (const region of filler.regionsAt(level, where.within, need)) {
      const pods = filler.fillWhole(region, need);
      if (pods !== undefined) return { pods, region };
    }
  }
  return undefined;
}

/** Takes up to `count` seats inside the region, in whole slices. */
export function growRuledPart(
  tx: FleetTransaction,
  grow: Pick<GangPart, 'shape' | 'slices'> & { readonly region: DomainId; readonly avoid: AvoidedRows },
  count: number,
): readonly PlacedPod[] {
  const filler = new RuledFiller(tx, grow.shape, grow.avoid);
  if (grow.slices !== undefined) return filler.fillSlices(grow.region, { ...grow.slices, count });
  return filler.fill(grow.region, count);
}

class RuledFiller {
  #steps = 0;

  constructor(
    private readonly tx: FleetTransaction,
    private readonly shape: PodShape,
    private readonly avoid: AvoidedRows,
  ) {}

  /** With room for the pods, rules aside; the least first, equals by rank. */
  regionsAt(level: number, within: DomainId, pods: number): readonly DomainId[] {
    const { tree } = this.tx.fleet;
    if (tree.levelOfDomain(within) >= level) return tree.isInside(within, level) ? [within] : [];
    const rooms = this.#sums().rooms;
    const room = (domain: DomainId): number => rooms[domain] ?? 0;
    return tree
      .domainsAt(level)
      .filter((domain) => domain >= within && domain < tree.endOf(within) && room(domain) >= pods)
      .sort((a, b) => room(a) - room(b) || a - b);
  }

  /** All or none; a gang that may only stand with itself begins in one domain after the other. */
  fillWhole(region: DomainId, count: number): readonly PlacedPod[] | undefined {
    const start = this.tx.mark();
    const starts = PodRules.of(this.tx.fleet, this.shape)?.startDomains;
    for (let value = starts === undefined ? -1 : 0; value < (starts?.size ?? 0); value++) {
      const pods = this.fill(region, count, (row) => starts === undefined || starts.of(row) === value);
      if (pods.length === count) return pods;
      this.tx.rollbackTo(start);
      if (this.#steps > STEPS_MAX) break;
    }
    return undefined;
  }

  /** Slices, each whole and in one domain of the level, as many as fit of `count` pods. */
  fillSlices(
    within: DomainId,
    { level, size, count }: { readonly level: number; readonly size: number; readonly count: number },
  ): readonly PlacedPod[] {
    const placed: PlacedPod[] = [];
    while (placed.length + size <= count) {
      let slice: readonly PlacedPod[] | undefined;
      for (const region of this.regionsAt(level, within, size)) {
        slice = this.fillWhole(region, size);
        if (slice !== undefined) break;
      }
      if (slice === undefined) break;
      placed.push(...slice);
    }
    return placed;
  }

  /** Up to `count`; what was taken stays taken. */
  fill(region: DomainId, count: number, mayStand: (row: number) => boolean = () => true): readonly PlacedPod[] {
    const rules = PodRules.of(this.tx.fleet, this.shape);
    const pods: PlacedPod[] = [];
    while (pods.length < count && this.#steps <= STEPS_MAX) {
      const row = this.#best(region, rules, mayStand);
      if (row === undefined) break;
      pods.push(takeSeat(this.tx, this.shape, row));
      rules?.add(row);
    }
    return pods;
  }

  #best(region: DomainId, rules: PodRules | undefined, mayStand: (row: number) => boolean): number | undefined {
    const { tree } = this.tx.fleet;
    const sums = this.#sums();
    const hosts: DomainId[] = [];
    for (let domain = region; domain < tree.endOf(region); domain++) {
      const row = tree.rowOf(domain);
      if (row < 0 || sums.of(domain) < 1 || this.avoid.has(row)) continue;
      if (mayStand(row) && rules?.allows(row) !== false) hosts.push(domain);
    }
    this.#steps += tree.endOf(region) - region;
    const scores = scoresOf(
      rules,
      hosts.map((host) => tree.rowOf(host)),
    );
    let best: DomainId | undefined;
    let bestCost = Infinity;
    for (const [index, host] of hosts.entries()) {
      const cost = sums.costOf(host) - PREFERRED * (scores[index] ?? 0);
      const isBetter =
        cost < bestCost || (cost === bestCost && best !== undefined && sums.tieOf(host) < sums.tieOf(best));
      if (!isBetter) continue;
      best = host;
      bestCost = cost;
    }
    return best === undefined ? undefined : tree.rowOf(best);
  }

  /** As things are now; rows to avoid are left out where it matters. */
  #sums(): FitSums {
    return new FitSums({ fleet: this.tx.fleet, shape: this.shape, avoid: NONE });
  }
}

const NONE: AvoidedRows = new Set();

/** What the rules prefer, as whole numbers: each kind from 0 to its weight times 100 over the rows there are. */
function scoresOf(rules: PodRules | undefined, rows: readonly number[]): readonly number[] {
  if (rules === undefined) return [];
  const preferred = scaled(rows.map((row) => rules.preferenceFor(row)));
  const roomy = scaled(rows.map((row) => -rules.crowdOn(row)));
  return rows.map((_row, index) => SCORE_WEIGHT * ((preferred[index] ?? 0) + (roomy[index] ?? 0)));
}

function scaled(values: readonly number[]): readonly number[] {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least === most) return values.map(() => 0);
  return values.map((value) => Math.floor((SCORE_MAX * (value - least)) / (most - least)));
}
