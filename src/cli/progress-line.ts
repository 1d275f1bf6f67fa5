import type { Workload } from '../server/workloads/workload.schema.js';
import { formatDuration } from './age.js';
import { formatMetrics } from './describe-workload.js';
import { isSettled, progressOf, resultOf } from './present-workloads.js';

const BAR_WIDTH = 24;

/** Where a workload stands, in one line: what it waits for, how far it is, or what it came to. */
export function progressLine(workload: Workload): string {
  const { status } = workload;
  const { progress } = status;
  if (isSettled(workload)) return endLine(workload);
  if (status.state !== 'running' || progress === undefined) {
    const why = status.message === '' ? status.reason : status.message;
    return why === '' ? status.state : `${status.state}: ${why}`;
  }
  const { remainingSeconds, epochs } = progress;
  const parts = [
    progressOf(workload),
    ...(remainingSeconds === undefined ? [] : [`${formatDuration(remainingSeconds)} left`]),
    ...epochs.slice(-1).map(({ epoch, metrics }) => `epoch ${epoch}: ${formatMetrics(metrics)}`),
  ];
  return parts.join(', ');
}

/** `█████░░░░░` */
export function progressBar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.min(BAR_WIDTH, Math.floor((done / total) * BAR_WIDTH));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}

function endLine(workload: Workload): string {
  const { status } = workload;
  const came = status.result === undefined ? status.message : resultOf(workload);
  return came === '' ? status.state : `${status.state}: ${came}`;
}
