import type { Milli, Ms } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StandingHold } from '../forecast/index.js';
import { podsThatFit } from '../placement/index.js';
import type { Stay, WorkloadRecord } from '../queue/index.js';
import { NO_FLAVOR } from '../queue/index.js';
import type { StartAsk, StartPart } from '../start/index.js';
import { chargesOfParts, findStart, flavorChoices, gangParts, startAskOf } from '../start/index.js';
import { holdingsOf, releaseWorkload } from './belongings.js';
import { expectedEndMs } from './run-time-estimates.js';

type HeldRegion = Pick<StandingHold, 'flavors' | 'nodes' | 'charges'>;

/** What a node has in use, and how long until it is free: milli, and milli x seconds. */
interface RowWork {
  missing: Milli;
  work: number;
}

/** A row that could hold some of it when empty. */
interface Suiting extends RowWork {
  readonly row: number;
  /** By flavor choice and part: how many pods. */
  readonly pods: readonly (readonly number[])[];
}

/** Regions that are tried at one level of the topology. */
const TRIALS_MAX = 64;
/** Who runs for an unknown time is expected to run as long again as it has, and at least this. */
const LONGER_MS_MIN: Ms = 60_000;

/**
 * Nodes on which the workload could stand if all work ended: in the smallest kind of domain that can hold it, the one
 * with the least work left to finish for each device missing; of it, just as many nodes as are needed. `undefined`:
 * there is no such place.
 */
export function chooseRegion(state: CoreState, nowMs: Ms, record: WorkloadRecord): HeldRegion | undefined {
  const { tx } = state;
  const start = tx.mark();
  const work = workByRow(state, nowMs);
  for (const { id } of staysOf(state)) releaseWorkload(state, id);
  for (const held of state.pods.heldForLeaving()) tx.give(held);
  const region = new RegionSearch(state, record, work).search();
  tx.rollbackTo(start);
  return region;
}

class RegionSearch {
  readonly #state: CoreState;
  readonly #record: WorkloadRecord;
  readonly #ask: StartAsk;
  readonly #rows: readonly number[];
  readonly #suiting: readonly Suiting[];
  readonly #needs: readonly (readonly number[])[];

  constructor(state: CoreState, record: WorkloadRecord, work: ReadonlyMap<number, RowWork>) {
    this.#state = state;
    this.#record = record;
    this.#ask = startAskOf(state, record);
    this.#rows = state.fleet.names().map((name) => state.fleet.rowOf(name));
    const choices = flavorChoices(state, this.#ask).allowed.map((choice) =>
      gangParts(state, this.#ask.podSets, choice),
    );
    this.#needs = choices.map((parts) => parts.map(({ need }) => need));
    this.#suiting = this.#rows
      .filter((row) => !this.#ask.avoid.has(row))
      .map((row) => ({
        row,
        ...(work.get(row) ?? { missing: 0, work: 0 }),
        pods: choices.map((parts) => parts.map(({ shape }) => podsThatFit(state.fleet, shape, row))),
      }))
      .filter(({ pods }) => pods.some((parts) => parts.some((fit) => fit > 0)))
      .sort((a, b) => workPerMissing([a]) - workPerMissing([b]));
  }

  search(): HeldRegion | undefined {
    const { tree } = this.#state.fleet;
    if (this.#place(this.#suiting) === undefined) return undefined;
    for (let level = tree.levels.length - 1; level >= -1; level--) {
      for (const rows of this.#regionsAt(level).slice(0, TRIALS_MAX)) {
        if (this.#place(rows) !== undefined) return this.#fewestOf(rows);
      }
    }
    return undefined;
  }

  /** The rows of each domain that may hold it by its sums, the least work left for what is missing first. */
  #regionsAt(level: number): readonly (readonly Suiting[])[] {
    const { tree } = this.#state.fleet;
    const inDomain = new Map<number, Suiting[]>();
    for (const suiting of this.#suiting) {
      const domain = level < 0 ? 0 : tree.domainOf(suiting.row, level);
      if (domain === undefined) continue;
      const known = inDomain.get(domain);
      if (known === undefined) inDomain.set(domain, [suiting]);
      else known.push(suiting);
    }
    const regions = tree.domainsAt(level).map((domain) => inDomain.get(domain) ?? []);
    return regions
      .flatMap((rows) => {
        const count = this.#countThatMayHold(rows);
        return count === undefined ? [] : [{ rows, cost: workPerMissing(rows.slice(0, count)) }];
      })
      .sort((a, b) => a.cost - b.cost)
      .map(({ rows }) => rows);
  }

  /** How many of the rows, from the first on, have room for as many pods as it needs in one of its flavors. */
  #countThatMayHold(rows: readonly Suiting[]): number | undefined {
    const left = this.#needs.map((needs) => [...needs]);
    for (const [index, { pods }] of rows.entries()) {
      for (const [choice, parts] of left.entries()) {
        for (const part of parts.keys()) parts[part] = (parts[part] ?? 0) - (pods[choice]?.[part] ?? 0);
      }
      if (left.some((parts) => parts.every((need) => need <= 0))) return index + 1;
    }
    return undefined;
  }

  /** The first of the rows, as many as it takes. */
  #fewestOf(rows: readonly Suiting[]): HeldRegion | undefined {
    let low = this.#countThatMayHold(rows) ?? 1;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#place(rows.slice(0, middle)) !== undefined) high = middle;
      else low = middle + 1;
    }
    const chosen = rows.slice(0, high);
    const parts = this.#place(chosen);
    if (parts === undefined) return undefined;
    const flavors = [...new Set(parts.map(({ flavor = NO_FLAVOR }) => flavor))];
    const nodes = chosen.map(({ row }) => this.#state.fleet.recordOf(row).spec.name).sort();
    return { flavors, nodes, charges: chargesOfParts(this.#state, this.#record, parts) };
  }

  #place(rows: readonly Suiting[]): readonly StartPart[] | undefined {
    const inside = new Set(rows.map(({ row }) => row));
    const avoid = new Set(this.#rows.filter((row) => !inside.has(row)));
    const before = this.#state.tx.mark();
    const found = findStart(this.#state, { ...this.#ask, avoid });
    this.#state.tx.rollbackTo(before);
    return found.kind === 'found' ? found.parts : undefined;
  }
}

function workPerMissing(rows: readonly RowWork[]): number {
  const missing = rows.reduce((sum, row) => sum + row.missing, 0);
  return Math.floor(rows.reduce((sum, row) => sum + row.work, 0) / Math.max(1, missing));
}

/** Everybody who holds something; in no particular order. */
function staysOf({ book: { started } }: CoreState): readonly Stay[] {
  return [...started.ending(), ...started.openQueues().flatMap((queue) => [...started.openOf(queue)])];
}

function workByRow(state: CoreState, nowMs: Ms): ReadonlyMap<number, RowWork> {
  const rows = new Map<number, RowWork>();
  for (const stay of staysOf(state)) {
    const endMs = expectedEndMs(state, stay, nowMs) ?? nowMs + Math.max(LONGER_MS_MIN, nowMs - stay.sinceMs);
    const seconds = Math.ceil((endMs - nowMs) / 1000);
    for (const { row, cpuMilli, slots } of holdingsOf(state, stay.id)) {
      const milli = slots.length === 0 ? cpuMilli : slots.reduce((sum, slot) => sum + slot.milli, 0);
      const sum = rows.get(row) ?? { missing: 0, work: 0 };
      rows.set(row, { missing: sum.missing + milli, work: sum.work + milli * seconds });
    }
  }
  return rows;
}
