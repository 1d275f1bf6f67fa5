import { useMemo, useState, type ReactElement } from 'react';
import type { Workload } from '../server/workloads/workload.schema.js';
import { EmptyNote } from './empty-note.js';
import { isFinished } from './is-finished.js';
import { Panel } from './panel.js';
import { markOf, type TeamMarks } from './team-marks.js';
import { useNow } from './use-now.js';
import { WorkloadFilter, type WorkloadView } from './workload-filter.js';
import { workloadOrder } from './workload-order.js';
import { WorkloadRow } from './workload-row.js';

interface WorkloadPanelProps {
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly marks: TeamMarks;
}

const COLUMNS = [
  'Workload',
  'State',
  'Progress',
  'Epoch',
  'Accuracy',
  'Samples/s',
  'Time left',
  'Age',
  'Report',
] as const;
const WIDTHS = ['', 'w-28', 'w-[24%]', 'w-20', 'w-28', 'w-24', 'w-24', 'w-24', 'w-20'] as const;
const FIGURES: ReadonlySet<string> = new Set(['Epoch', 'Accuracy', 'Samples/s', 'Time left', 'Age']);

export function WorkloadPanel({ workloads, marks }: WorkloadPanelProps): ReactElement {
  const [view, setView] = useState<WorkloadView>('all');
  const now = useNow();
  const ordered = useMemo(() => workloadOrder(workloads.values()), [workloads]);
  const shown = ordered.filter((workload) => isIn(view, workload));
  const count = (of: WorkloadView): number => ordered.filter((workload) => isIn(of, workload)).length;
  return (
    <Panel title="Workloads" summary={<WorkloadFilter view={view} onView={setView} count={count} />}>
      {shown.length === 0 ? (
        <EmptyNote>
          {ordered.length === 0 ? (
            <>
              No workloads yet. Submit one with <code className="text-ink">npx berth apply -f JOB.yaml</code>
            </>
          ) : (
            `No workload is ${view} now.`
          )}
        </EmptyNote>
      ) : (
        // The roles are those of the elements; they are written out because a narrow page shows the rows as blocks.
        <table role="table" aria-label="Workloads" className="block w-full table-fixed text-sm lg:table">
          <thead role="rowgroup" className="sr-only lg:not-sr-only lg:table-header-group">
            <tr role="row" className="border-b border-line text-left text-xs text-muted">
              {COLUMNS.map((column, index) => (
                <th
                  key={column}
                  role="columnheader"
                  scope="col"
                  className={`px-2 py-2 font-normal first:pl-4 last:pr-4 ${WIDTHS[index] ?? ''} ${FIGURES.has(column) ? 'text-right' : ''}`}
                >
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup" className="block divide-y divide-line lg:table-row-group">
            {shown.map((workload) => (
              <WorkloadRow
                key={workload.metadata.uid}
                workload={workload}
                mark={markOf(marks, workload.metadata.namespace)}
                nowMs={now}
              />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

function isIn(view: WorkloadView, workload: Workload): boolean {
  switch (view) {
    case 'all':
      return true;
    case 'pending':
      return workload.status.state === 'pending';
    case 'finished':
      return isFinished(workload);
    case 'running':
      return !isFinished(workload) && workload.status.state !== 'pending';
  }
}
