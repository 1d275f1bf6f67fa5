import type { Expectation } from './expectation.schema.js';
import type { KnownNames, Path } from './known-names.js';

const LISTS = [
  'running',
  'runningIncludes',
  'pending',
  'pendingIncludes',
  'evicted',
  'evictedIncludes',
  'neverEvicted',
] as const;
const BY_WORKLOAD = [
  'reason',
  'change',
  'pods',
  'podsPerSet',
  'domains',
  'on',
  'plannedStart',
  'evictions',
  'finishedBy',
] as const;
const BY_QUEUE = ['usage', 'share'] as const;

/** Names that the scenario does not have. */
export function findExpectationMistakes(known: KnownNames, path: Path, expectation: Expectation): void {
  for (const key of LISTS) {
    for (const name of expectation[key] ?? []) known.mustBe('workload', [...path, key], name);
  }
  for (const name of expectation.countRunning?.of ?? []) known.mustBe('workload', [...path, 'countRunning'], name);
  for (const key of BY_WORKLOAD) {
    for (const name of Object.keys(expectation[key] ?? {})) known.mustBe('workload', [...path, key, name], name);
  }
  for (const key of BY_QUEUE) {
    for (const name of Object.keys(expectation[key] ?? {})) known.mustBe('queue', [...path, key, name], name);
  }
  for (const [name, perLevel] of Object.entries(expectation.domains ?? {})) {
    for (const level of Object.keys(perLevel)) known.mustBeLevel([...path, 'domains', name, level], level);
  }
  for (const [name, perFlavor] of Object.entries(expectation.usage ?? {})) {
    for (const flavor of Object.keys(perFlavor)) known.mustBeFlavor([...path, 'usage', name, flavor], flavor);
  }
  for (const [name, nodes] of Object.entries(expectation.on ?? {})) {
    const names = Array.isArray(nodes) ? nodes : Object.keys(nodes);
    for (const node of names) known.mustBe('node', [...path, 'on', name], node);
  }
}
