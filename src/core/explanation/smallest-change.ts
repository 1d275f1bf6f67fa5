import type { Change, Ms, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import { flavorChoices, minimumOf, startAskOf } from '../start/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { compareText } from '../text-order.js';
import { nodesToHeal } from './node-state.js';
import { binds } from './topology.js';
import { inTrial } from './trial.js';
import { outlookOf } from './would-start.js';

export interface ChangeSearch {
  readonly change: readonly Change[];
  readonly searched: 'complete' | 'partial';
}

/** Starts tried for one question. */
const TRIALS_MAX = 64;
/** Levels of the quota tree that one request may exceed, one after the other. */
const RAISES_MAX = 8;

/**
 * A smallest change that starts the workload, tried in the order of the constraints: one kind alone, else more quota
 * together with another. Each answer was tried in a transaction, offered to this workload alone: with it, it starts on
 * free capacity or by a right that it has, and no planned start moves; of its list nothing can be left out. Empty when
 * none was found, or when only time helps (backoff, pause) or its turn.
 */
export function smallestChange(state: CoreState, record: WorkloadRecord, nowMs: Ms): ChangeSearch {
  if (record.notBeforeMs !== undefined || record.pause !== undefined) return { change: [], searched: 'complete' };
  const search = new Search(state, record, nowMs);
  const { spec, waitsOn } = record;
  const lift: readonly Change[] = spec.hold ? [{ kind: 'lift-hold' }] : [];
  const finish: readonly Change[] = waitsOn.length > 0 ? [{ kind: 'finish-dependency', workloads: waitsOn }] : [];
  // Without these it would not start whatever else changed.
  const base = [...lift, ...finish];
  if (search.starts(base)) return { change: base, searched: 'complete' };
  const single = search.oneMore(base);
  const quota = single === undefined ? search.raiseQuota(base) : undefined;
  const both = quota === undefined ? undefined : search.oneMore(quota);
  return { change: single ?? both ?? [], searched: search.searched };
}

class Search {
  #trials = 0;
  /** A placement that gave up on its bound of steps: a "no" of which nobody can be sure. */
  #isUnsure = false;

  constructor(
    private readonly state: CoreState,
    private readonly record: WorkloadRecord,
    private readonly nowMs: Ms,
  ) {}

  get searched(): 'complete' | 'partial' {
    return this.#isSpent || this.#isUnsure ? 'partial' : 'complete';
  }

  get #isSpent(): boolean {
    return this.#trials >= TRIALS_MAX;
  }

  starts(changes: readonly Change[]): boolean {
    this.#trials++;
    // Who has ended in the trial still stands among those that may be evicted.
    const mayEvict = changes.every(({ kind }) => kind !== 'end-workloads');
    const how = { nowMs: this.nowMs, mayEvict };
    const outlook = this.#inTrial(changes, (changed) => outlookOf(this.state, changed, how));
    this.#isUnsure ||= outlook.kind === 'blocked' && outlook.searched === 'partial';
    return outlook.kind === 'starts';
  }

  /** The changes of `base` and one kind more. */
  oneMore(base: readonly Change[]): readonly Change[] | undefined {
    const kinds = [
      () => this.#drop(base, 'selector'),
      () => this.#raised(base),
      () => this.#raisePriority(base),
      () => this.#drop(base, 'topology'),
      () => this.#endWorkloads(base),
      () => this.#heal(base),
      () => this.#askLess(base),
    ];
    for (const kind of kinds) {
      const found = kind();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** `base` and the quota that is missing, level by level; `undefined` when quota is not the question. */
  raiseQuota(base: readonly Change[]): readonly Change[] | undefined {
    const raises: (Change & { kind: 'raise-quota' })[] = [];
    for (let raise = 0; raise < RAISES_MAX; raise++) {
      const changes = [...base, ...raises];
      const { allowed, refused } = this.#inTrial(changes, (changed) =>
        flavorChoices(this.state, startAskOf(this.state, changed)),
      );
      if (allowed.length > 0) return raises.length > 0 ? changes : undefined;
      if (refused?.flavor === undefined || this.state.quota.spec(refused.queue) === undefined) return undefined;
      const { queue, flavor, shortMilli } = refused;
      const known = raises.findIndex((one) => one.queue === queue && one.flavor === flavor);
      const milli = shortMilli + (raises[known]?.milli ?? 0);
      raises.splice(known < 0 ? raises.length : known, 1, { kind: 'raise-quota', queue, flavor, milli });
    }
    return undefined;
  }

  #raised(base: readonly Change[]): readonly Change[] | undefined {
    const changes = this.raiseQuota(base);
    return changes !== undefined && this.starts(changes) ? changes : undefined;
  }

  /** The lowest priority with which it starts: one above somebody who stands or is planned in its way. */
  #raisePriority(base: readonly Change[]): readonly Change[] | undefined {
    const own = this.record.spec.priority;
    const others = this.state.book.all().map(({ spec }) => spec.priority + 1);
    const ladder = [...new Set(others)].filter((priority) => priority > own).sort((a, b) => a - b);
    const change = (rung: number): readonly Change[] => [...base, { kind: 'raise-priority', to: ladder[rung] ?? own }];
    let enough = ladder.length - 1;
    if (enough < 0 || !this.starts(change(enough))) return undefined;
    for (let tooLow = -1; enough - tooLow > 1;) {
      const middle = (tooLow + enough) >> 1;
      if (this.starts(change(middle))) enough = middle;
      else tooLow = middle;
    }
    return change(enough);
  }

  #drop(base: readonly Change[], requirement: 'selector' | 'topology'): readonly Change[] | undefined {
    const drops = this.record.spec.podSets.flatMap((podSet): readonly Change[] => {
      const { name: set, topology, nodeSelector, nodeAffinity } = podSet;
      if (requirement === 'selector') {
        const selects = nodeAffinity !== undefined || Object.keys(nodeSelector).length > 0;
        return selects ? [{ kind: 'drop-requirement', podSet: set, requirement }] : [];
      }
      if (!binds(topology)) return [];
      return [{ kind: 'drop-requirement', podSet: set, requirement, level: topology.level }];
    });
    if (drops.length === 0 || !this.starts([...base, ...drops])) return undefined;
    return [...base, ...this.#spare(drops, (fewer) => this.starts([...base, ...fewer]))];
  }

  /** The least important first: lowest priority, then youngest; then those are spared that need not end. */
  #endWorkloads(base: readonly Change[]): readonly Change[] | undefined {
    const candidates = this.state.book
      .all()
      .filter(({ spec, state }) => spec.id !== this.record.spec.id && state !== 'pending')
      .filter(({ spec }) => !this.record.waitsOn.includes(spec.id))
      .sort(
        ({ spec: a }, { spec: b }) =>
          a.priority - b.priority || b.submittedAtMs - a.submittedAtMs || compareText(a.id, b.id),
      )
      .map(({ spec }) => spec.id);
    const startsWithout = (workloads: readonly WorkloadId[]) =>
      this.starts([...base, { kind: 'end-workloads', workloads }]);
    if (candidates.length === 0 || !startsWithout(candidates)) return undefined;
    let enough = candidates.length;
    for (let tooFew = 0; enough - tooFew > 1;) {
      const middle = (tooFew + enough) >> 1;
      if (startsWithout(candidates.slice(0, middle))) enough = middle;
      else tooFew = middle;
    }
    const workloads = this.#spare(candidates.slice(0, enough).reverse(), startsWithout);
    return [...base, { kind: 'end-workloads', workloads }];
  }

  #heal(base: readonly Change[]): readonly Change[] | undefined {
    const nodes = this.#inTrial(base, (changed) => nodesToHeal(this.state, startAskOf(this.state, changed)));
    const changes: readonly Change[] = [...base, { kind: 'heal-nodes', nodes }];
    return nodes.length > 0 && this.starts(changes) ? changes : undefined;
  }

  /** The most pods of one pod set with which the workload would start. */
  #askLess(base: readonly Change[]): readonly Change[] | undefined {
    for (const podSet of this.record.spec.podSets) {
      const change = (count: number): readonly Change[] => [...base, { kind: 'ask-less', podSet: podSet.name, count }];
      const need = minimumOf(podSet);
      if (need < 2 || !this.starts(change(1))) continue;
      let enough = 1;
      for (let tooMany = need; tooMany - enough > 1;) {
        const middle = (enough + tooMany) >> 1;
        if (this.starts(change(middle))) enough = middle;
        else tooMany = middle;
      }
      return change(enough);
    }
    return undefined;
  }

  #inTrial<Answer>(changes: readonly Change[], question: (changed: WorkloadRecord) => Answer): Answer {
    return inTrial({ state: this.state, record: this.record, changes }, question);
  }

  /** Leaves out, one after the other, what is not needed; stops at the bound on trials. */
  #spare<Item>(items: readonly Item[], isEnough: (items: readonly Item[]) => boolean): readonly Item[] {
    let kept = items;
    for (const item of items) {
      if (this.#isSpent) break;
      const fewer = kept.filter((other) => other !== item);
      if (fewer.length > 0 && isEnough(fewer)) kept = fewer;
    }
    return kept;
  }
}
