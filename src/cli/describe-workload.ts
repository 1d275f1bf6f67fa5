import type { Workload, WorkloadExplanation, WorkloadPod } from '../server/workloads/workload.schema.js';
import { formatAge, formatDuration } from './age.js';
import { formatLabels, formatMilli, orDash } from './amounts.js';
import { formatExplanation } from './explain-command.js';
import { isSettled, progressOf, shortName } from './present-workloads.js';
import { Table, formatFields, indent, type Column } from './table.js';

/** Epochs shown, the newest: the report has them all. */
const EPOCHS_MAX = 5;

/** All there is to know about one workload, for people. `explanation` is given while it waits. */
export function describeWorkload(
  workload: Workload,
  explanation: WorkloadExplanation | undefined,
  nowMs: number,
): string {
  const { metadata, spec, status } = workload;
  const head = formatFields({
    Name: shortName(workload),
    UID: metadata.uid,
    Labels: formatLabels(metadata.labels),
    Created: `${metadata.creationTimestamp} by ${metadata.createdBy}, ${formatAge(metadata.creationTimestamp, nowMs)} ago`,
    Queue: spec.queue,
    Kind: spec.kind,
    'Run time': runTimeOf(workload),
    Priority: `${spec.priority}${spec.preemptible ? '' : ', not preemptible'}`,
    State: `${status.state}${status.cancelRequested && !isSettled(workload) ? ', cancelling' : ''}`,
    Reason: status.reason === '' ? undefined : status.reason,
    Message: status.message === '' ? undefined : status.message,
    'Planned start': status.plannedStart,
    'Last evicted': evictionOf(workload),
    Started: status.startedAt,
    Finished: status.finishedAt,
    Took: tookOf(workload),
    Incarnation: `${status.incarnation}, ${status.retries} of ${spec.maxRetries} retries used`,
    Charged: chargedOf(workload),
  });
  return [
    head,
    ...podSets(workload),
    ...why(explanation),
    ...progress(workload),
    ...result(workload),
    ...pods(workload),
  ].join('\n');
}

function formatTopology(topology: Workload['spec']['podSets'][number]['topology']): string {
  if (topology === undefined) return '-';
  return 'slice' in topology ? `${topology.slice.size} per ${topology.slice.level}` : formatLabels({ ...topology });
}

function podSets({ spec }: Workload): string[] {
  const columns: Column<Workload['spec']['podSets'][number]>[] = [
    { title: 'POD SET', of: ({ name }) => name },
    { title: 'PODS', of: ({ count }) => String(count) },
    { title: 'CPU', of: ({ cpu }) => String(cpu) },
    { title: 'MEMORY', of: ({ memory }) => String(memory) },
    {
      title: 'DEVICES A POD',
      of: ({ accelerators: a }) => (a === undefined ? '-' : `${formatMilli(a.count * a.milli)} ${a.flavors.join('|')}`),
    },
    { title: 'TOPOLOGY', of: ({ topology }) => formatTopology(topology) },
    {
      title: 'RUNS',
      of: ({ trainer, template }) => trainer?.name ?? template?.spec.containers[0]?.command.join(' ') ?? '-',
    },
  ];
  return [section('Pod sets', new Table(columns, spec.podSets).text(spec.podSets))];
}

function why(explanation: WorkloadExplanation | undefined): string[] {
  return explanation === undefined ? [] : [section('Why it waits', formatExplanation(explanation))];
}

function progress(workload: Workload): string[] {
  const { progress: seen } = workload.status;
  if (seen === undefined) return [];
  const fields = formatFields({
    Phase: `${progressOf(workload)} (step ${seen.step} of ${seen.stepsTotal})`,
    Left:
      seen.remainingSeconds === undefined || isSettled(workload) ? undefined : formatDuration(seen.remainingSeconds),
    Speed: seen.samplesPerSecond === undefined ? undefined : `${Math.round(seen.samplesPerSecond)} samples/s`,
    Checkpoint: seen.checkpointStep === undefined ? undefined : `step ${seen.checkpointStep}`,
    Backend: seen.backend,
  });
  const epochs = seen.epochs
    .slice(-EPOCHS_MAX)
    .map(({ epoch, metrics }) => `Epoch ${epoch}: ${formatMetrics(metrics)}\n`);
  return [section('Progress', fields + epochs.join(''))];
}

function result({ status }: Workload): string[] {
  return status.result === undefined ? [] : [section('Result on the test split', `${formatMetrics(status.result)}\n`)];
}

function pods({ status }: Workload): string[] {
  const columns: Column<WorkloadPod>[] = [
    { title: 'POD', of: ({ name }) => name },
    { title: 'RANK', of: ({ rank }) => String(rank) },
    { title: 'NODE', of: ({ node }) => node },
    { title: 'SLOTS', of: ({ slots }) => orDash(slots.join(',')) },
    { title: 'STATE', of: ({ state }) => state },
    { title: 'EXIT', of: ({ exitCode }) => (exitCode === undefined ? '-' : String(exitCode)) },
    { title: 'DETAIL', of: ({ detail }) => detail ?? '-' },
  ];
  return status.pods.length === 0 ? [] : [section('Pods', new Table(columns, status.pods).text(status.pods))];
}

/** `accuracy 0.8546, loss 0.3121` */
export function formatMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ');
}

function evictionOf({ status: { lastEviction } }: Workload): string | undefined {
  if (lastEviction === undefined) return undefined;
  const { at, reason, message } = lastEviction;
  return `${at}, ${reason}${message === '' ? '' : `: ${message}`}`;
}

/** `estimated 1h, at most 2h, saved every 10m` */
function runTimeOf({ spec }: Workload): string | undefined {
  const parts = [
    ['estimated', spec.estimatedRunSeconds],
    ['at most', spec.maxRunSeconds],
    ['saved every', spec.checkpointEverySeconds],
  ] as const;
  const told = parts.flatMap(([what, seconds]) =>
    seconds === undefined ? [] : [`${what} ${formatDuration(seconds)}`],
  );
  return told.length === 0 ? undefined : told.join(', ');
}

function tookOf({ status: { startedAt, finishedAt } }: Workload): string | undefined {
  if (startedAt === undefined || finishedAt === undefined) return undefined;
  return formatDuration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}

function chargedOf({ status }: Workload): string {
  return orDash(
    Object.entries(status.charged)
      .map(([flavor, milli]) => `${formatMilli(milli)} ${flavor}`)
      .join(', '),
  );
}

function section(title: string, text: string): string {
  return `${title}:\n${indent(text)}`;
}
