import type { Observation, PodSeen } from '../../cluster/cluster.js';
import type { LedgerState } from './ledger.js';

export interface Reconciliation {
  /** What the driver will not say by itself: nodes and pods that it does not have. */
  readonly observations: readonly Observation[];
  /** Names of pods that hold nothing in the ledger. */
  readonly strays: readonly string[];
}

/**
 * Holds the ledger against a fresh list of the driver, both ways. A pod that was never bound is not missed: its
 * creation is still in the outbox.
 */
export function reconcile(
  state: LedgerState,
  observed: readonly Observation[],
  seen: readonly PodSeen[],
): Reconciliation {
  const nodes = new Set(observed.flatMap((o) => (o.kind === 'node-seen' ? [o.node.name] : [])));
  const podsSeen = new Set(seen.map(({ name }) => name));
  const podsHeld = new Set(state.pods.map(({ name }) => name));
  const observations: Observation[] = [];
  for (const { spec, removed } of state.nodes) {
    if (!removed && !nodes.has(spec.name)) observations.push({ kind: 'node-removed', node: spec.name });
  }
  for (const { name, seat, state: podState, end } of state.pods) {
    if (podsSeen.has(name) || podState === 'expected') continue;
    if (end === undefined) {
      const lost = { outcome: 'lost', blame: 'node', detail: 'gone from its node' } as const;
      observations.push({ kind: 'pod-ended', pod: seat.pod, ...lost });
    }
    if (end?.kind !== 'ended' || !end.isGone) observations.push({ kind: 'pod-gone', pod: seat.pod });
  }
  return { observations, strays: seen.filter(({ name }) => !podsHeld.has(name)).map(({ name }) => name) };
}
