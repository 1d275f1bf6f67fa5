import { partitionsOf, type HardwareCatalogue } from '../core/fleet/index.js';
import type { PodSetSpec, Toleration, TopologyRequest, WorkloadSpec } from '../core/index.js';
import { cpuMilliOf, memoryMibOf } from '../documents/quantity.js';
import { msOf, optionalMs } from './seconds.js';
import { CPU_FLAVOR } from './flavors-of.js';
import { TOLERATION, devicesOf, modelsOf, type ScenarioPodSet, type ScenarioWorkload } from './workload.schema.js';

const MAX_RETRIES = 3;

/** What there is: `cpu` is managed when there is a CPU flavor. */
export interface Offer {
  readonly cpu: 'managed' | 'unmanaged';
  readonly catalogue: HardwareCatalogue;
}

const EIGHTH_MILLI = 125;

/** The workload as the core is told of it at `atSeconds`; its name is its id. */
export function workloadSpecOf(
  workload: ScenarioWorkload,
  { atSeconds, ...offer }: Offer & { readonly atSeconds: number },
): WorkloadSpec {
  const { name, queue, kind, priority, preemptible, hold, dependsOn } = workload;
  return {
    id: name,
    name,
    queue,
    kind,
    priority,
    preemptible,
    submittedAtMs: msOf(workload.submittedAt ?? atSeconds),
    hold,
    podSets: workload.pods.map((pods) => podSetSpecOf(pods, kind, offer)),
    maxRetries: MAX_RETRIES,
    ...optionalMs('estimateMs', workload.estimate),
    ...optionalMs('limitMs', workload.limit),
    ...optionalMs('deadlineMs', workload.deadline),
    ...optionalMs('checkpointEveryMs', workload.checkpointEvery),
    ...(dependsOn === undefined ? {} : { dependsOn }),
    incarnation: workload.running === undefined ? 0 : 1,
    retries: 0,
  };
}

function podSetSpecOf(pods: ScenarioPodSet, kind: ScenarioWorkload['kind'], { cpu, catalogue }: Offer): PodSetSpec {
  const count = devicesOf(pods);
  const memoryMib = pods.deviceMemory === undefined ? {} : { memoryMib: memoryMibOf(pods.deviceMemory) };
  const share = pods.mig === undefined ? { milli: pods.milli } : partitionOf(pods.mig, modelsOf(pods), catalogue);
  const isGang = kind === 'training';
  const cpuOnly = cpu === 'managed' ? [CPU_FLAVOR] : [];
  return {
    name: pods.name,
    count: pods.count,
    minCount: pods.minCount ?? pods.count,
    flavors: count === 0 ? cpuOnly : modelsOf(pods),
    cpuMilli: cpuMilliOf(pods.cpu),
    memoryMib: memoryMibOf(pods.memory),
    ...(count === 0 ? {} : { devices: { count, ...share, ...memoryMib } }),
    nodeSelector: pods.selector,
    tolerations: pods.tolerations.flatMap(tolerationOf),
    ...(pods.topology === undefined ? {} : { topology: topologyOf(pods.topology) }),
    start: isGang ? 'together' : 'each',
    onLoss: isGang ? 'restart-all' : 'replace',
  };
}

/** As large as the first model says that has such; throws a `RangeError` when none has. */
function partitionOf(
  profile: string,
  models: readonly string[],
  catalogue: HardwareCatalogue,
): { readonly profile: string; readonly milli: number } {
  const found = models.flatMap((model) => partitionsOf(catalogue, model)).find(({ name }) => name === profile);
  if (found === undefined) throw new RangeError(`no partition ${profile} of ${models.join(', ')} is known`);
  return { profile, milli: found.eighths * EIGHTH_MILLI };
}

function topologyOf(topology: NonNullable<ScenarioPodSet['topology']>): TopologyRequest {
  if ('required' in topology) return { kind: 'required', level: topology.required };
  if ('preferred' in topology) return { kind: 'preferred', level: topology.preferred };
  return { kind: 'slice', ...topology.slice };
}

function tolerationOf(text: string): Toleration[] {
  const [, key, value, effect] = TOLERATION.exec(text) ?? [];
  if (key === undefined) return [];
  const isEffect = effect === 'NoSchedule' || effect === 'PreferNoSchedule' || effect === 'NoExecute';
  return [
    {
      key,
      ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }),
      ...(isEffect ? { effect } : {}),
    },
  ];
}
