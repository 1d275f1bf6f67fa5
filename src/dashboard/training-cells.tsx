import type { ReactElement, ReactNode } from 'react';
import type { Workload } from '../server/workloads/workload.schema.js';
import { formatDuration } from './format-duration.js';
import { formatRate } from './format-amount.js';
import { isFinished } from './is-finished.js';
import { ProgressBar } from './progress-bar.js';
import { trainingProgress } from './training-progress.js';

interface TrainingCellsProps {
  readonly workload: Workload;
  readonly nowMs: number;
}

/** Progress, epoch, accuracy, samples a second, time left: five cells of the row of a workload. */
export function TrainingCells({ workload, nowMs }: TrainingCellsProps): ReactElement {
  const { share, phase, epoch, accuracy, samplesPerSecond, secondsLeft } = trainingProgress(workload, nowMs);
  return (
    <>
      <td role="cell" className="col-span-2 lg:table-cell lg:px-2 lg:align-middle">
        {share === undefined ? undefined : (
          <ProgressBar label={`Progress of ${workload.metadata.name}`} share={share} isDone={isFinished(workload)} />
        )}
        {workload.status.state === 'running' && phase !== undefined && phase !== 'training' ? (
          <div className="text-xs text-muted">{phase}</div>
        ) : undefined}
      </td>
      <Figure name="epoch">{epoch}</Figure>
      <Figure name="accuracy">
        {accuracy === undefined ? undefined : (
          <>
            {accuracy.value.toFixed(4)}
            <span className="ml-1 text-xs text-muted" title={`on the ${accuracy.of} split`}>
              {SPLITS[accuracy.of]}
            </span>
          </>
        )}
      </Figure>
      <Figure name="samples/s">{samplesPerSecond === undefined ? undefined : formatRate(samplesPerSecond)}</Figure>
      <Figure name="left">{secondsLeft === undefined ? undefined : formatDuration(secondsLeft)}</Figure>
    </>
  );
}

const SPLITS = { test: 'test', validation: 'val', training: 'train' } as const;

/** A cell of its column; on a narrow page, where there are no columns, with its name, and nothing when it is empty. */
function Figure({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  const isEmpty = children === undefined;
  return (
    <td
      role="cell"
      className={`${isEmpty ? 'hidden' : ''} whitespace-nowrap text-xs lg:table-cell lg:px-2 lg:text-right lg:align-middle lg:text-sm`}
    >
      {isEmpty ? (
        <span className="text-muted" aria-label="not known">
          –
        </span>
      ) : (
        <>
          <span className="text-muted lg:hidden">{name} </span>
          {children}
        </>
      )}
    </td>
  );
}
