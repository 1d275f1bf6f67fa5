import type { PodAffinityTerm, TopologySpread } from '../contract/index.js';
import type { FleetState, StandingPod } from '../fleet/index.js';
import { invariant } from '../invariant.js';
import type { StandingRules } from '../standing-rules.js';
import { DomainCounts, LabelDomains } from './label-domains.js';
import type { PodShape } from './pod-shape.js';
import { portsConflict, seesPod, selects } from './pod-selectors.js';
import { SpreadRule } from './spread-rule.js';

/** Which rule keeps a pod from a node. */
export type BrokenRule = 'host port' | 'pod affinity' | 'pod anti-affinity' | 'topology spread';

interface CountedTerm {
  readonly term: PodAffinityTerm;
  readonly counts: DomainCounts;
}

/** Forbidden domains of one label, and whether another pod of the shape forbids its own. */
interface KeptApart {
  readonly counts: DomainCounts;
  readonly isOwn: boolean;
}

/**
 * What rules beyond the node say of the nodes for pods of one shape, as the filters `NodePorts`, `InterPodAffinity` and
 * `PodTopologySpread` of kube-scheduler do, and the scores of the latter two. As things stand when it is made, and from
 * then on with each pod of the shape that it is told of. Pods that are leaving or have ended count for ports and
 * anti-affinity alone: nobody may count on them.
 */
export class PodRules {
  readonly #fleet: FleetState;
  readonly #own: StandingRules;
  readonly #domains = new Map<string, LabelDomains>();
  readonly #takenRows = new Set<number>();
  readonly #apart: KeptApart[] = [];
  readonly #affinity: readonly CountedTerm[];
  readonly #joinsItself: boolean;
  /** Pods that the required affinity sees, anywhere. */
  #seen = 0;
  readonly #spread: readonly SpreadRule[];
  readonly #softSpread: readonly SpreadRule[];
  readonly #preferences: (CountedTerm & { readonly ownWeight: number })[] = [];

  private constructor(fleet: FleetState, shape: PodShape, own: StandingRules) {
    this.#fleet = fleet;
    this.#own = own;
    const { podSet } = shape;
    const required = podSet.podAffinity?.required ?? [];
    this.#affinity = required.map((term) => ({ term, counts: this.#countsOf(term.topologyKey) }));
    this.#joinsItself = required.every((term) => seesPod(term, own.namespace, own));
    for (const term of own.antiAffinity) {
      const isOwn = seesPod(term, own.namespace, own);
      const counts = this.#countsOf(term.topologyKey);
      this.#apart.push({ counts, isOwn });
      fleet.standing.forEach(
        ({ row, claimed, leaving }) => counts.add(row, claimed + leaving),
        (rules) => {
          return seesPod(term, own.namespace, rules);
        },
      );
    }
    const spreads = podSet.topologySpread ?? [];
    this.#spread = this.#spreadRules(shape, spreads, 'DoNotSchedule');
    this.#softSpread = this.#spreadRules(shape, spreads, 'ScheduleAnyway');
    this.#count();
  }

  /** `undefined`: no rule beyond the node could matter to such pods as things stand. */
  static of(fleet: FleetState, shape: PodShape): PodRules | undefined {
    const own = shape.standing;
    return own !== undefined && PodRules.matterTo(fleet, shape) ? new PodRules(fleet, shape, own) : undefined;
  }

  /** Could a rule beyond the node matter to such pods as things stand: one of theirs, or of who stands? */
  static matterTo(fleet: FleetState, { standing: own, podSet }: PodShape): boolean {
    if (own === undefined) return false;
    const { podAffinity, podAntiAffinity, topologySpread, hostPorts } = podSet;
    const asks = [podAffinity, podAntiAffinity, topologySpread, hostPorts].some((rule) => rule !== undefined);
    return asks || fleet.standing.some((rules) => keepsAway(rules, own));
  }

  /** May the next pod stand there? */
  allows(row: number): boolean {
    return this.whyNot(row) === undefined;
  }

  whyNot(row: number): BrokenRule | undefined {
    if (this.#takenRows.has(row)) return 'host port';
    if (!this.#mayJoin(row)) return 'pod affinity';
    if (this.#apart.some(({ counts }) => counts.at(row) > 0)) return 'pod anti-affinity';
    return this.#spread.every((rule) => rule.allows(row)) ? undefined : 'topology spread';
  }

  /** A pod of the shape stands there from now on. */
  add(row: number): void {
    const { hostPorts } = this.#own;
    if (hostPorts.length > 0) this.#takenRows.add(row);
    for (const { counts, isOwn } of this.#apart) if (isOwn) counts.add(row, 1);
    if (this.#joinsItself) this.#addSeen(row, 1);
    for (const rule of [...this.#spread, ...this.#softSpread]) rule.addOwn(row);
    for (const { counts, ownWeight } of this.#preferences) counts.add(row, ownWeight);
  }

  /** Weights of preferred pod affinity there: more is better. */
  preferenceFor(row: number): number {
    let sum = 0;
    for (const { counts } of this.#preferences) sum += counts.at(row);
    return sum;
  }

  /** Pods that soft spreading sees there: fewer is better; the most where a label is missing. */
  crowdOn(row: number): number {
    let sum = 0;
    for (const rule of this.#softSpread) sum += rule.crowdOn(row);
    return sum;
  }

  /** While its pods may stand with nobody but one another: the domains that the first of them chooses among. */
  get startDomains(): LabelDomains | undefined {
    return this.#joinsItself && this.#seen === 0 ? this.#affinity[0]?.counts.domains : undefined;
  }

  #mayJoin(row: number): boolean {
    if (this.#affinity.length === 0) return true;
    if (this.#affinity.some(({ counts }) => counts.domains.of(row) < 0)) return false;
    // The first of a group that is to stand together may stand anywhere.
    if (this.#seen === 0) return this.#joinsItself;
    return this.#affinity.every(({ counts }) => counts.at(row) > 0);
  }

  #addSeen(row: number, pods: number): void {
    for (const { counts } of this.#affinity) if (counts.add(row, pods)) this.#seen += pods;
  }

  #count(): void {
    const own = this.#own;
    const { standing } = this.#fleet;
    if (own.hostPorts.length > 0) {
      const isTaken = (rules: StandingRules): boolean => portsConflict(own.hostPorts, rules.hostPorts);
      standing.forEach(({ row }) => this.#takenRows.add(row), isTaken);
    }
    if (this.#affinity.length > 0) {
      // A pod counts only when all terms see it.
      const isSeen = (rules: StandingRules): boolean =>
        this.#affinity.every(({ term }) => seesPod(term, own.namespace, rules));
      standing.forEach(({ row, claimed }) => {
        this.#addSeen(row, claimed);
      }, isSeen);
    }
    const keepAway = new Map<string, DomainCounts>();
    standing.forEach(
      ({ rules, row, claimed, leaving }) => {
        for (const term of rules.antiAffinity) {
          if (!seesPod(term, rules.namespace, own)) continue;
          this.#shared(keepAway, term).add(row, claimed + leaving);
        }
      },
      (rules) => keepsAway(rules, own),
    );
    for (const counts of keepAway.values()) this.#apart.push({ counts, isOwn: false });
    this.#countPreferences();
  }

  #countPreferences(): void {
    const own = this.#own;
    for (const { weight, term } of own.preferred) {
      const counts = this.#countsOf(term.topologyKey);
      // Of two that see one another, each prefers the other.
      const ownWeight = seesPod(term, own.namespace, own) ? 2 * weight : 0;
      this.#preferences.push({ term, counts, ownWeight });
      this.#fleet.standing.forEach(
        ({ row, claimed }) => counts.add(row, weight * claimed),
        (rules) => {
          return seesPod(term, own.namespace, rules);
        },
      );
    }
    const theirs = new Map<string, DomainCounts>();
    const visit = ({ rules, row, claimed }: StandingPod): void => {
      for (const { weight, term } of rules.preferred) {
        if (seesPod(term, rules.namespace, own)) this.#shared(theirs, term).add(row, weight * claimed);
      }
    };
    this.#fleet.standing.forEach(visit, ({ preferred }) => preferred.length > 0);
    for (const [topologyKey, counts] of theirs) {
      this.#preferences.push({ term: { topologyKey, selector: [] }, counts, ownWeight: 0 });
    }
  }

  #shared(counts: Map<string, DomainCounts>, { topologyKey }: PodAffinityTerm): DomainCounts {
    const known = counts.get(topologyKey) ?? this.#countsOf(topologyKey);
    counts.set(topologyKey, known);
    return known;
  }

  #spreadRules(
    shape: PodShape,
    all: readonly TopologySpread[],
    kind: TopologySpread['whenUnsatisfiable'],
  ): readonly SpreadRule[] {
    const spreads = all.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === kind);
    const keys = spreads.map(({ topologyKey }) => this.#domainsOf(topologyKey));
    const own = this.#own;
    return spreads.map((spread, index) => {
      const domains = keys[index];
      invariant(domains !== undefined, 'each spread has the domains of its key', { index });
      const rule = new SpreadRule(this.#fleet, shape, {
        spread,
        domains,
        keys,
        isOwn: selects(spread.selector, own.labels),
      });
      this.#fleet.standing.forEach(
        ({ row, claimed }) => {
          rule.add(row, claimed);
        },
        ({ namespace, labels }) => namespace === own.namespace && selects(spread.selector, labels),
      );
      return rule;
    });
  }

  #countsOf(topologyKey: string): DomainCounts {
    return new DomainCounts(this.#domainsOf(topologyKey));
  }

  #domainsOf(topologyKey: string): LabelDomains {
    const known = this.#domains.get(topologyKey) ?? new LabelDomains(this.#fleet, topologyKey);
    this.#domains.set(topologyKey, known);
    return known;
  }
}

/** Does the required anti-affinity of the one see the other? */
function keepsAway({ antiAffinity, namespace }: StandingRules, other: StandingRules): boolean {
  return antiAffinity.some((term) => seesPod(term, namespace, other));
}
