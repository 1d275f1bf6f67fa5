import type { Change, WorkloadId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { StartAsk } from '../start/index.js';
import { flavorChoices, minimumOf, startAskOf } from '../start/index.js';
import type { WorkloadRecord } from '../queue/index.js';
import { compareText } from '../text-order.js';
import { nodesToHeal } from './node-state.js';
import { binds } from './topology.js';
import { inTrial, startsWith } from './trial.js';

export interface ChangeSearch {
  readonly change: readonly Change[];
  readonly searched: 'complete' | 'partial';
}

/** Placements tried for one question. */
const TRIALS_MAX = 64;
/** Levels of the quota tree that one request may exceed, one after the other. */
const RAISES_MAX = 8;

/**
 * A smallest change that starts the workload, tried in the order of the constraints: one kind alone, else more quota
 * together with another. Each answer was tried in a transaction, offered to this workload alone; of its list nothing
 * can be left out. Empty when none was found, or when only time helps (backoff, pause) or its turn.
 */
export function smallestChange(state: CoreState, record: WorkloadRecord): ChangeSearch {
  if (record.notBeforeMs !== undefined || record.pause !== undefined) return { change: [], searched: 'complete' };
  const search = new Search(state, startAskOf(state, record), record.spec.id);
  const lift: readonly Change[] = record.spec.hold ? [{ kind: 'lift-hold' }] : [];
  if (search.starts(lift)) return { change: lift, searched: 'complete' };
  const single = search.oneMore(lift);
  const quota = single === undefined ? search.raiseQuota(lift) : undefined;
  const both = quota === undefined ? undefined : search.oneMore(quota);
  return { change: single ?? both ?? [], searched: search.searched };
}

class Search {
  #trials = 0;
  /** A placement that gave up on its bound of steps: a "no" of which nobody can be sure. */
  #isUnsure = false;

  constructor(
    private readonly state: CoreState,
    private readonly ask: StartAsk,
    private readonly own: WorkloadId,
  ) {}

  get searched(): 'complete' | 'partial' {
    return this.#isSpent || this.#isUnsure ? 'partial' : 'complete';
  }

  get #isSpent(): boolean {
    return this.#trials >= TRIALS_MAX;
  }

  starts(changes: readonly Change[]): boolean {
    this.#trials++;
    const search = startsWith({ state: this.state, ask: this.ask, changes });
    if (search.kind === 'found') return true;
    this.#isUnsure ||= search.searched === 'partial';
    return false;
  }

  /** The changes of `base` and one kind more. */
  oneMore(base: readonly Change[]): readonly Change[] | undefined {
    const kinds = [
      () => this.#drop(base, 'selector'),
      () => this.#raised(base),
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
      const { allowed, refused } = inTrial({ state: this.state, ask: this.ask, changes }, (ask) =>
        flavorChoices(this.state, ask),
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

  #drop(base: readonly Change[], requirement: 'selector' | 'topology'): readonly Change[] | undefined {
    const drops = this.ask.podSets.flatMap((podSet): readonly Change[] => {
      const { name: set, topology, nodeSelector } = podSet;
      if (requirement === 'selector') {
        return Object.keys(nodeSelector).length === 0 ? [] : [{ kind: 'drop-requirement', podSet: set, requirement }];
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
      .filter(({ spec, state }) => spec.id !== this.own && state !== 'pending')
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
    const nodes = inTrial({ state: this.state, ask: this.ask, changes: base }, (ask) => nodesToHeal(this.state, ask));
    const changes: readonly Change[] = [...base, { kind: 'heal-nodes', nodes }];
    return nodes.length > 0 && this.starts(changes) ? changes : undefined;
  }

  /** The most pods of one pod set with which the workload would start. */
  #askLess(base: readonly Change[]): readonly Change[] | undefined {
    for (const podSet of this.ask.podSets) {
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
