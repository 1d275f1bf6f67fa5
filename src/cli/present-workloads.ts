import type { Workload } from '../server/workloads/workload.schema.js';
import { formatAge, formatDuration } from './age.js';
import { formatMilli, orDash } from './amounts.js';
import type { Presentation } from './output.js';

const PERCENT = 100;

export function presentWorkloads(now: () => number): Presentation<Workload> {
  return {
    columns: [
      { title: 'TEAM', of: ({ metadata }) => metadata.namespace },
      { title: 'NAME', of: ({ metadata }) => metadata.name },
      { title: 'STATE', of: stateOf },
      { title: 'QUEUE', of: ({ spec }) => spec.queue },
      { title: 'DEVICES', of: devicesOf },
      { title: 'PROGRESS', of: progressOf },
      { title: 'LEFT', of: timeLeftOf },
      { title: 'RESULT', of: resultOf },
      { title: 'AGE', of: ({ metadata }) => formatAge(metadata.creationTimestamp, now()) },
      { title: 'REASON', of: ({ status }) => orDash(status.reason), wide: true },
      { title: 'PLANNED', of: ({ status }) => orDash(status.plannedStart ?? ''), wide: true },
      { title: 'PRIORITY', of: ({ spec }) => String(spec.priority), wide: true },
      { title: 'RETRIES', of: ({ status, spec }) => `${status.retries}/${spec.maxRetries}`, wide: true },
      { title: 'NODES', of: nodesOf, wide: true },
      { title: 'UID', of: ({ metadata }) => metadata.uid, wide: true },
    ],
    name: workloadName,
    key: ({ metadata }) => metadata.uid,
    none: 'No workloads; `berth apply -f FILE` submits one.',
  };
}

/** As programs want it, and as every command takes it after the slash. */
export function workloadName(workload: Workload): string {
  return `workload/${shortName(workload)}`;
}

export function shortName({ metadata }: Workload): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** It has ended, and never changes again. */
export function isSettled({ status }: Workload): boolean {
  return status.state === 'succeeded' || status.state === 'failed' || status.state === 'cancelled';
}

export function progressOf({ status }: Workload): string {
  if (status.progress === undefined) return '-';
  const { phase, step, stepsTotal } = status.progress;
  return stepsTotal === 0 ? phase : `${phase} ${Math.floor((step / stepsTotal) * PERCENT)}%`;
}

function stateOf({ status }: Workload): string {
  const isLeaving = status.cancelRequested && status.state !== 'cancelled';
  return isLeaving ? `${status.state},cancelling` : status.state;
}

/** Those it asks for, by flavor in its order of preference. */
function devicesOf({ spec }: Workload): string {
  const asked = spec.podSets.flatMap(({ count, accelerators }) =>
    accelerators === undefined
      ? []
      : [`${formatMilli(count * accelerators.count * accelerators.milli)} ${accelerators.flavors.join('|')}`],
  );
  return orDash(asked.join(' + '));
}

function timeLeftOf(workload: Workload): string {
  const seconds = workload.status.progress?.remainingSeconds;
  return seconds === undefined || isSettled(workload) ? '-' : formatDuration(seconds);
}

/** The metric that people ask for first. */
export function resultOf({ status }: Workload): string {
  const [metric] = Object.entries(status.result ?? {}).sort(
    ([a], [b]) => Number(b === 'accuracy') - Number(a === 'accuracy'),
  );
  return metric === undefined ? '-' : `${metric[0]} ${metric[1].toFixed(4)}`;
}

function nodesOf({ status }: Workload): string {
  return orDash([...new Set(status.pods.map(({ node }) => node))].join(','));
}
