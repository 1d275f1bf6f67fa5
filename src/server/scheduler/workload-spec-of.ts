import type { PodSetSpec, Toleration, WorkloadSpec } from '../../core/index.js';
import { cpuMilliOf, memoryMibOf } from '../../documents/quantity.js';
import type { WorkloadDocument } from '../workloads/workload.schema.js';

/** The columns of `workloads` that the core is told. */
export interface WorkloadSpecRow {
  readonly uid: string;
  readonly name: string;
  readonly spec: WorkloadDocument['spec'];
  readonly created_at: Date;
  readonly incarnation: number;
  readonly retries: number;
  readonly not_before: Date | null;
  readonly ending: 'fail' | 'end' | null;
  /** As whoever found its pods understood them; absent: it was submitted. */
  readonly found: { readonly spec: WorkloadSpec } | null;
  /** Flavors without a model, by name: pods without devices take their CPUs from one of them. */
  readonly cpu_flavors: readonly string[];
}

export const WORKLOAD_SPEC_COLUMNS = `w.uid, w.name, w.spec, w.created_at, w.incarnation, w.retries, w.not_before,
  w.ending, w.found, ARRAY(SELECT f.name FROM flavors f WHERE f.model IS NULL ORDER BY f.name COLLATE "C") AS cpu_flavors`;

type PodSetDocument = WorkloadDocument['spec']['podSets'][number];

/** A workload as the core knows it: quantities as integers, the names of the document's kinds as rules. */
export function workloadSpecOf(row: WorkloadSpecRow): WorkloadSpec {
  return { ...(row.found?.spec ?? submittedSpecOf(row)), ...standingOf(row) };
}

/** How far it has come. */
function standingOf({
  incarnation,
  retries,
  not_before,
  ending,
}: WorkloadSpecRow): Pick<WorkloadSpec, 'incarnation' | 'retries' | 'notBeforeMs' | 'ending'> {
  return {
    incarnation,
    retries,
    ...(not_before === null ? {} : { notBeforeMs: not_before.getTime() }),
    ...(ending === null ? {} : { ending }),
  };
}

function submittedSpecOf(row: WorkloadSpecRow): Omit<WorkloadSpec, keyof ReturnType<typeof standingOf>> {
  const { queue, kind, priority, preemptible, maxRetries, podSets } = row.spec;
  const { estimatedRunSeconds, maxRunSeconds, checkpointEverySeconds } = row.spec;
  return {
    id: row.uid,
    name: row.name,
    queue,
    kind,
    priority,
    preemptible,
    submittedAtMs: row.created_at.getTime(),
    hold: false,
    podSets: podSets.map((podSet) => podSetSpecOf(podSet, row)),
    maxRetries,
    ...(estimatedRunSeconds === undefined ? {} : { estimateMs: estimatedRunSeconds * 1000 }),
    ...(maxRunSeconds === undefined ? {} : { limitMs: maxRunSeconds * 1000 }),
    ...(checkpointEverySeconds === undefined ? {} : { checkpointEveryMs: checkpointEverySeconds * 1000 }),
  };
}

/** Training is a gang that restarts whole; other pods come and are replaced one by one. */
function podSetSpecOf(podSet: PodSetDocument, { spec: { kind }, cpu_flavors }: WorkloadSpecRow): PodSetSpec {
  const { name, count, minCount = count, cpu, memory, accelerators, nodeSelector, tolerations, topology } = podSet;
  return {
    name,
    count,
    minCount,
    flavors: accelerators?.flavors ?? cpu_flavors,
    cpuMilli: cpuMilliOf(cpu),
    memoryMib: memoryMibOf(memory),
    ...(accelerators === undefined ? {} : { devices: devicesOf(accelerators) }),
    nodeSelector,
    tolerations: tolerations.map(tolerationOf),
    ...(topology === undefined ? {} : { topology: topologyOf(topology) }),
    ...(kind === 'training'
      ? { start: 'together' as const, onLoss: 'restart-all' as const }
      : { start: 'each' as const, onLoss: 'replace' as const }),
  };
}

function devicesOf({
  count,
  milli,
  partition,
  memory,
}: NonNullable<PodSetDocument['accelerators']>): NonNullable<PodSetSpec['devices']> {
  return {
    count,
    milli,
    ...(partition === undefined ? {} : { profile: partition }),
    ...(memory === undefined ? {} : { memoryMib: memoryMibOf(memory) }),
  };
}

function tolerationOf({ key, operator, value, effect }: PodSetDocument['tolerations'][number]): Toleration {
  return {
    ...(key === undefined ? {} : { key }),
    operator,
    ...(value === undefined ? {} : { value }),
    ...(effect === undefined ? {} : { effect }),
  };
}

function topologyOf(topology: NonNullable<PodSetDocument['topology']>): NonNullable<PodSetSpec['topology']> {
  if ('slice' in topology) return { kind: 'slice', ...topology.slice };
  return 'required' in topology
    ? { kind: 'required', level: topology.required }
    : { kind: 'preferred', level: topology.preferred };
}
