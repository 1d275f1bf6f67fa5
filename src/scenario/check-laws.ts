import { slotTotal, type SchedulerView, type TopologyLevel, type WorkloadId } from '../core/index.js';
import type { SimulatedPod, Simulation } from '../core/simulation/index.js';
import { domainPath } from './domain-of.js';
import { QuotaLevels } from './quota-levels.js';
import type { ScenarioLog } from './scenario-log.js';

const WHOLE_MILLI = 1000;

/** A law that does not hold, in a sentence. */
export type Breach = string;

interface LawBooks {
  readonly log: ScenarioLog;
  readonly levels: readonly TopologyLevel[];
}

/**
 * The laws of scheduling that can be seen on a state, checked on what was decided and on the pods that stand; the
 * core's own books are only compared with that. `before`: what the quota was exceeded by before the core decided; its
 * decisions may not exceed it by more.
 */
export function breaches(
  simulation: Simulation,
  { log, levels }: LawBooks,
  before: ReadonlyMap<string, number>,
): readonly Breach[] {
  const view = simulation.scheduler.view();
  return [
    ...overfullNodes(simulation, log, view),
    ...brokenQuota(log, view, before),
    ...brokenGangs(log),
    ...brokenTopology(log, levels),
    ...(view.misfits === 0 ? [] : [`the core was told ${view.misfits} events that do not fit its state`]),
  ];
}

/** By queue and flavor, by how much more is used than allowed; what is within its limits is left out. */
export function quotaExcess(log: ScenarioLog): ReadonlyMap<string, number> {
  const quota = new QuotaLevels(log.queues, [...log.charges.values()].flat());
  const excess = new Map<string, number>();
  for (const queue of log.queues.keys()) {
    for (const flavor of quota.flavors()) {
      const level = quota.levelOf(queue, flavor);
      if (level.excess > 0 && quota.manages(queue, flavor)) excess.set(`${queue} of ${flavor}`, level.excess);
    }
  }
  return excess;
}

/** Nothing over capacity, no slot over 1,000 milli; and the core's free amounts are what is left. */
function overfullNodes({ cluster }: Simulation, log: ScenarioLog, view: SchedulerView): readonly Breach[] {
  return view.nodes.flatMap(({ name, freeMilli, takesWork }) => {
    const node = log.nodes.get(name);
    if (node === undefined) return [];
    const pods = cluster.podsOn(name);
    const standing = pods.filter(({ state }) => state !== 'waiting');
    const used = usedMilli(standing, slotTotal(node));
    const overfull = used.flatMap((milli, slot) =>
      milli > WHOLE_MILLI ? [`slot ${slot} of ${name} carries ${milli} milli`] : [],
    );
    const { cpuMilli, memoryMib } = node.capacity;
    const sum = (of: (pod: SimulatedPod) => number): number => standing.reduce((total, pod) => total + of(pod), 0);
    const cpu = sum(({ seat }) => seat.cpuMilli);
    const memory = sum(({ seat }) => seat.memoryMib);
    const isWaitedFor = pods.length > standing.length;
    const isTrue =
      !takesWork || isWaitedFor || freeMilli.every((free, slot) => free === WHOLE_MILLI - (used[slot] ?? 0));
    return [
      ...overfull,
      ...cutTwice(name, standing),
      ...(cpu > cpuMilli ? [`${name} carries ${cpu} milli-CPU of ${cpuMilli}`] : []),
      ...(memory > memoryMib ? [`${name} carries ${memory} MiB of ${memoryMib}`] : []),
      ...(isTrue
        ? []
        : [`the core believes ${freeMilli.join(', ')} milli free on ${name}, where ${used.join(', ')} are used`]),
    ];
  });
}

function usedMilli(pods: readonly SimulatedPod[], slots: number): readonly number[] {
  const used = Array.from({ length: slots }, () => 0);
  for (const { slot, milli } of pods.flatMap(({ seat }) => seat.slots)) used[slot] = (used[slot] ?? 0) + milli;
  return used;
}

const EIGHTH_MILLI = 125;

/** No eighth of a device belongs to two partitions, and a device that is cut is not used otherwise. */
function cutTwice(node: string, pods: readonly SimulatedPod[]): readonly Breach[] {
  const shares = pods.flatMap(({ seat }) => seat.slots);
  const cut = new Set(shares.flatMap(({ slot, profile }) => (profile === undefined ? [] : [slot])));
  const taken = new Set<string>();
  return shares.flatMap(({ slot, milli, profile, position = 0 }) => {
    if (profile === undefined) return cut.has(slot) ? [`slot ${slot} of ${node} is cut, and used otherwise`] : [];
    const eighths = Array.from({ length: milli / EIGHTH_MILLI }, (_, index) => `${slot}/${position + index}`);
    const isTwice = eighths.some((eighth) => taken.has(eighth));
    for (const eighth of eighths) taken.add(eighth);
    return isTwice ? [`partitions overlap on slot ${slot} of ${node}`] : [];
  });
}

/** Used = sum of allocations at each queue, and no decision goes beyond the quota law. */
function brokenQuota(log: ScenarioLog, view: SchedulerView, before: ReadonlyMap<string, number>): readonly Breach[] {
  const quota = new QuotaLevels(log.queues, [...log.charges.values()].flat());
  const wrong = view.queues.flatMap(({ name, flavors }) =>
    flavors.flatMap(({ flavor, used }) => {
      const { usage } = quota.levelOf(name, flavor);
      return usage === used
        ? []
        : [`the core believes ${name} uses ${used} milli of ${flavor}; allocated are ${usage}`];
    }),
  );
  const beyond = [...quotaExcess(log)].flatMap(([where, excess]) => {
    return excess > (before.get(where) ?? 0) ? [`the quota of ${where} is exceeded by ${excess} milli`] : [];
  });
  return [...wrong, ...beyond];
}

/** A gang has no pod, or at least its minimum of each pod set. */
function brokenGangs(log: ScenarioLog): readonly Breach[] {
  return [...log.claims].flatMap(([workload, seats]) => {
    if (seats.length === 0) return [];
    const podSets = log.workloads.get(workload)?.podSets ?? [];
    return podSets.flatMap(({ name, minCount, count, start }) => {
      const pods = seats.filter(({ pod }) => pod.podSet === name).length;
      const isBroken = pods > count || (start === 'together' && pods < minCount);
      return isBroken ? [`${workload} has ${pods} pods of ${name}; it needs ${minCount} to ${count}`] : [];
    });
  });
}

/** Pods of a set that requires a level stand in one domain of it; slices do, one by one. */
function brokenTopology(log: ScenarioLog, levels: readonly TopologyLevel[]): readonly Breach[] {
  const domainsOf = (workload: WorkloadId, podSet: string, level: TopologyLevel): readonly string[] =>
    (log.claims.get(workload) ?? [])
      .filter(({ pod }) => pod.podSet === podSet)
      .map(({ node }) => {
        const spec = log.nodes.get(node);
        return (spec === undefined ? undefined : domainPath(spec, level, levels)) ?? '';
      });
  return [...log.workloads.values()].flatMap(({ id, podSets }) =>
    podSets.flatMap(({ name, topology }) => {
      if (topology === undefined || topology.kind === 'preferred') return [];
      const domains = domainsOf(id, name, topology.level);
      if (topology.kind === 'required') {
        const isOne = new Set(domains).size <= 1 && !domains.includes('');
        return isOne ? [] : [`${id} stands in ${new Set(domains).size} domains of ${topology.level}, and requires one`];
      }
      const counts = [...new Set(domains)].map((domain) => domains.filter((one) => one === domain).length);
      const isWhole = counts.every((pods) => pods % topology.size === 0);
      return isWhole ? [] : [`slices of ${id} are torn: ${counts.join(', ')} pods in its domains of ${topology.level}`];
    }),
  );
}
