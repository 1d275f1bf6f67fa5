import type { SchedulerView, TopologyLevel, Verdict } from '../core/index.js';
import type { Simulation } from '../core/simulation/index.js';
import { domainPath } from './domain-of.js';
import type { Expectation } from './expectation.schema.js';
import { QuotaLevels } from './quota-levels.js';
import type { ScenarioLog } from './scenario-log.js';
import { msOf } from './seconds.js';

/** One thing that is not as expected. */
export interface Mismatch {
  readonly what: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

export interface Situation {
  readonly simulation: Simulation;
  readonly log: ScenarioLog;
  readonly levels: readonly TopologyLevel[];
  /** Evictions since the check before, by name, each once. */
  readonly evicted: readonly string[];
}

/** Everything that the expectation says and the situation is not. */
export function mismatches(expectation: Expectation, situation: Situation): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const expect = (what: string, expected: unknown, actual: unknown): void => {
    if (canonical(expected) !== canonical(actual)) found.push({ what, expected, actual });
  };
  checkStates(expectation, situation, expect);
  checkEvictions(expectation, situation, expect);
  checkPods(expectation, situation, expect);
  checkQueues(expectation, situation, expect);
  checkAnswers(expectation, situation, expect);
  return found;
}

type WorkloadView = SchedulerView['workloads'][number];
type Expect = (what: string, expected: unknown, actual: unknown) => void;

function checkStates(expectation: Expectation, { simulation }: Situation, expect: Expect): void {
  const { workloads } = simulation.scheduler.view();
  const running = namesIn(workloads, ['running']);
  const pending = namesIn(workloads, ['pending', 'evicting']);
  if (expectation.running !== undefined) expect('running', [...expectation.running].sort(), running);
  if (expectation.pending !== undefined) expect('pending', [...expectation.pending].sort(), pending);
  expectAtLeast(expect, 'running', { names: expectation.runningIncludes, actual: running });
  expectAtLeast(expect, 'pending', { names: expectation.pendingIncludes, actual: pending });
  if (expectation.countRunning === undefined) return;
  const { of, is } = expectation.countRunning;
  expect(`how many run of ${of.join(', ')}`, is, of.filter((name) => running.includes(name)).length);
}

function checkEvictions(expectation: Expectation, { log, evicted }: Situation, expect: Expect): void {
  const { neverEvicted = [], evictions = {}, finishedBy = {} } = expectation;
  if (expectation.evicted !== undefined) expect('evicted', [...expectation.evicted].sort(), evicted);
  expectAtLeast(expect, 'evicted', { names: expectation.evictedIncludes, actual: evicted });
  const countOf = (name: string): number => log.evictions.filter(({ workload }) => workload === name).length;
  for (const name of neverEvicted) expect(`evictions of ${name}`, 0, countOf(name));
  for (const [name, count] of Object.entries(evictions)) expect(`evictions of ${name}`, count, countOf(name));
  for (const [name, seconds] of Object.entries(finishedBy)) {
    const atMs = log.finishedAtMs.get(name);
    if (atMs === undefined) expect(`${name} has finished`, `by ${seconds} s`, 'not at all');
    else if (atMs > msOf(seconds)) expect(`${name} has finished`, `by ${seconds} s`, `at ${atMs / 1000} s`);
  }
}

function checkPods(expectation: Expectation, { simulation, log, levels }: Situation, expect: Expect): void {
  const upOf = (name: string): readonly { readonly node: string; readonly podSet: string }[] =>
    simulation.cluster
      .podsOf(name)
      .filter(({ state }) => state === 'up')
      .map(({ seat }) => ({ node: seat.node, podSet: seat.pod.podSet }));
  for (const [name, count] of Object.entries(expectation.pods ?? {}))
    expect(`pods of ${name}`, count, upOf(name).length);
  for (const [name, perSet] of Object.entries(expectation.podsPerSet ?? {})) {
    const counts = Object.keys(perSet).map((set) => [set, upOf(name).filter(({ podSet }) => podSet === set).length]);
    expect(`pods of ${name} by pod set`, perSet, Object.fromEntries(counts));
  }
  for (const [name, perLevel] of Object.entries(expectation.domains ?? {})) {
    const counts = Object.keys(perLevel).map((level) => {
      const domains = upOf(name).map(({ node }) => {
        const spec = log.nodes.get(node);
        return spec === undefined ? undefined : domainPath(spec, level, levels);
      });
      return [level, new Set(domains).size];
    });
    expect(`domains of ${name}`, perLevel, Object.fromEntries(counts));
  }
  for (const [name, nodes] of Object.entries(expectation.on ?? {})) {
    const counts: Record<string, number> = {};
    for (const { node } of upOf(name)) counts[node] = (counts[node] ?? 0) + 1;
    if (!Array.isArray(nodes)) expect(`pods of ${name} by node`, nodes, counts);
    else if (!Object.keys(counts).every((node) => nodes.includes(node)) || Object.keys(counts).length === 0) {
      expect(`nodes of ${name}`, `only ${nodes.join(', ')}`, Object.keys(counts).sort());
    }
  }
}

function checkQueues(expectation: Expectation, { log }: Situation, expect: Expect): void {
  const quota = new QuotaLevels(log.queues, [...log.charges.values()].flat());
  for (const [queue, perFlavor] of Object.entries(expectation.usage ?? {})) {
    for (const [flavor, amount] of Object.entries(perFlavor)) {
      expect(`usage of ${flavor} by ${queue}`, amount, quota.levelOf(queue, flavor).usage / 1000);
    }
  }
  for (const [queue, share] of Object.entries(expectation.share ?? {})) {
    expect(`share of ${queue} in per mille`, share, quota.shareOf(queue) ?? 'without bound');
  }
}

function checkAnswers(expectation: Expectation, { simulation, log }: Situation, expect: Expect): void {
  const explain = (name: string): Verdict | undefined => {
    const answer = simulation.scheduler.explain(name, simulation.nowMs);
    return answer.kind === 'pending' ? answer : undefined;
  };
  for (const [name, reason] of Object.entries(expectation.reason ?? {})) {
    expect(`why ${name} waits`, reason, explain(name)?.binding.kind ?? 'it does not wait');
  }
  for (const [name, wanted] of Object.entries(expectation.change ?? {})) {
    const entries = Array.isArray(wanted) ? wanted : [wanted];
    const changes = explain(name)?.change ?? [];
    const isMet = changes.length === entries.length && entries.every((entry, index) => holds(entry, changes[index]));
    if (!isMet) expect(`what would start ${name}`, entries, changes);
  }
  for (const [name, [from, to]] of Object.entries(expectation.plannedStart ?? {})) {
    const startMs = log.plans.get(name)?.startMs;
    const isMet = startMs !== undefined && startMs >= msOf(from) && startMs <= msOf(to);
    if (!isMet)
      expect(
        `planned start of ${name}`,
        `${from} s to ${to} s`,
        startMs === undefined ? 'none' : `${startMs / 1000} s`,
      );
  }
}

function expectAtLeast(
  expect: Expect,
  what: string,
  { names = [], actual }: { readonly names: readonly string[] | undefined; readonly actual: readonly string[] },
): void {
  if (!names.every((name) => actual.includes(name))) expect(`${what}, at least`, [...names].sort(), actual);
}

function namesIn(workloads: readonly WorkloadView[], states: readonly WorkloadView['state'][]): readonly string[] {
  return workloads
    .filter(({ state }) => states.includes(state))
    .map(({ id }) => id)
    .sort();
}

/** Each field that is named has that value. */
function holds(entry: Readonly<Record<string, unknown>>, change: object | undefined): boolean {
  if (change === undefined) return false;
  const fields = new Map<string, unknown>(Object.entries(change));
  return Object.entries(entry).every(([key, value]) => canonical(fields.get(key)) === canonical(value));
}

/** Equal texts for equal values: keys in code-unit order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
