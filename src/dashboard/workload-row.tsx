import type { ReactElement, ReactNode } from 'react';
import type { Workload } from '../server/workloads/workload.schema.js';
import { formatAmount } from './format-amount.js';
import { formatAge } from './format-age.js';
import { PendingReason } from './pending-reason.js';
import { StateBadge } from './state-badge.js';
import type { TeamMark } from './team-marks.js';
import { TeamSwatch } from './team-swatch.js';
import { TrainingCells } from './training-cells.js';

interface WorkloadRowProps {
  readonly workload: Workload;
  readonly mark: TeamMark;
  readonly nowMs: number;
}

const CELL = 'lg:table-cell lg:px-2 lg:py-2.5 lg:align-middle';

export function WorkloadRow({ workload, mark, nowMs }: WorkloadRowProps): ReactElement {
  const { metadata, status } = workload;
  const isTold = status.state === 'pending' || status.state === 'failed';
  return (
    <tr
      role="row"
      aria-label={metadata.name}
      data-uid={metadata.uid}
      data-state={status.state}
      className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 gap-y-2 px-4 py-3 hover:bg-raised/60 lg:table-row"
    >
      <td role="cell" className={`min-w-0 ${CELL} lg:pl-4`}>
        <WorkloadName workload={workload} mark={mark} />
      </td>
      <td role="cell" className={`justify-self-end ${CELL}`}>
        <StateBadge state={status.state} isCancelRequested={status.cancelRequested} />
      </td>
      {isTold ? (
        <td role="cell" colSpan={5} className={`col-span-2 ${CELL}`}>
          {status.state === 'pending' ? <PendingReason workload={workload} /> : failureSentence(workload)}
        </td>
      ) : (
        <TrainingCells workload={workload} nowMs={nowMs} />
      )}
      <td role="cell" className={`text-xs text-muted ${CELL} lg:text-right`}>
        <time dateTime={metadata.creationTimestamp} title={new Date(metadata.creationTimestamp).toLocaleString()}>
          {formatAge((nowMs - Date.parse(metadata.creationTimestamp)) / 1000)}
        </time>
        <span className="lg:sr-only"> old</span>
      </td>
      <td role="cell" className={`justify-self-end text-xs ${CELL} lg:pr-4`}>
        <ReportLink workload={workload} />
      </td>
    </tr>
  );
}

function WorkloadName({ workload, mark }: { readonly workload: Workload; readonly mark: TeamMark }): ReactElement {
  const { metadata, spec, status } = workload;
  const pods = spec.podSets.reduce((sum, { count }) => sum + count, 0);
  const devices = spec.podSets.reduce(
    (sum, { count, accelerators: a }) => sum + (a === undefined ? 0 : (count * a.count * a.milli) / 1000),
    0,
  );
  const facts = [
    metadata.namespace,
    ...(spec.queue === metadata.namespace ? [] : [spec.queue]),
    `${formatAmount(pods)} ${pods === 1 ? 'pod' : 'pods'}`,
    ...(devices === 0 ? [] : [`${formatAmount(devices)} ${devices === 1 ? 'device' : 'devices'}`]),
    ...(status.retries === 0 ? [] : [`${status.retries} retries`]),
  ];
  return (
    <>
      <div className="truncate font-medium" title={metadata.name}>
        {metadata.name}
      </div>
      <div className="flex items-center gap-1.5 text-xs text-muted">
        <TeamSwatch mark={mark} />
        <span className="truncate">{facts.join(' · ')}</span>
      </div>
    </>
  );
}

function failureSentence({ status: { message, reason } }: Workload): ReactNode {
  return <p className="text-xs">{message !== '' ? message : reason}</p>;
}

/** The address answers only once there is a report, which the result says. */
function ReportLink({ workload: { metadata, status } }: { readonly workload: Workload }): ReactNode {
  if (status.result === undefined) return <span className="sr-only">none</span>;
  return (
    <a
      href={`/v1/workloads/${metadata.uid}/report`}
      target="_blank"
      rel="noopener"
      aria-label={`Report of ${metadata.name}, in a new tab`}
      className="font-medium text-accent underline-offset-2 hover:underline"
    >
      Report
    </a>
  );
}
