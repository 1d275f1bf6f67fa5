import { isDeepStrictEqual } from 'node:util';
import type { Observation } from '../../cluster/cluster.js';
import type { NodeName } from '../../core/index.js';
import type { LedgerState, LivePod } from './ledger.js';
import { podNameOf } from './pod-name.js';

type NodeFact = Extract<Observation, { readonly kind: 'node-seen' | 'node-state-changed' | 'foreign-use-seen' }>;

/** How far a pod has come. One that leaves may still start, which is news. */
const STEPS: Readonly<Record<LivePod['state'], number>> = { expected: 0, leaving: 0, bound: 1, started: 2 };

/**
 * What the ledger says of nodes and pods when a term begins. A driver that begins to observe tells all of it again, and
 * what it tells first of a thing, as the ledger has it, is no news: to store it would only take time, of which a new
 * leader has little.
 */
export class KnownFacts {
  private readonly nodes = new Map<NodeName, Map<NodeFact['kind'], NodeFact>>();
  private readonly pods = new Map<string, number>();

  constructor({ nodes, pods }: Pick<LedgerState, 'nodes' | 'pods'>) {
    for (const { spec, state, cause, foreign, removed } of nodes) {
      if (removed) continue;
      const { name: node } = spec;
      const facts: readonly NodeFact[] = [
        { kind: 'node-seen', node: spec },
        { kind: 'node-state-changed', node, state, cause },
        { kind: 'foreign-use-seen', node, ...foreign },
      ];
      this.nodes.set(node, new Map(facts.map((fact) => [fact.kind, fact])));
    }
    for (const { name, state } of pods) this.pods.set(name, STEPS[state]);
  }

  /** To be asked once of each observation, in their order. */
  isNews(observation: Observation): boolean {
    switch (observation.kind) {
      case 'node-seen':
        return this.isNewsOf(observation.node.name, observation);
      case 'node-state-changed':
      case 'foreign-use-seen':
        return this.isNewsOf(observation.node, observation);
      case 'node-removed':
        this.nodes.delete(observation.node); // it comes back as another
        return true;
      case 'pod-bound':
        return this.stepOf(observation) < STEPS.bound;
      case 'pod-started':
        return this.stepOf(observation) < STEPS.started;
      case 'pod-gone':
        this.pods.delete(podNameOf(observation.pod));
        return true;
      case 'node-fenced':
      case 'pod-ended':
      case 'workload-found':
      case 'workload-withdrawn':
        return true;
    }
  }

  /** The next word of the same kind is news, whatever it is. */
  private isNewsOf(node: NodeName, observation: NodeFact): boolean {
    const facts = this.nodes.get(node);
    const known = facts?.get(observation.kind);
    facts?.delete(observation.kind);
    return !isDeepStrictEqual(known, observation);
  }

  private stepOf({ pod }: Extract<Observation, { readonly kind: 'pod-bound' | 'pod-started' }>): number {
    return this.pods.get(podNameOf(pod)) ?? 0;
  }
}
