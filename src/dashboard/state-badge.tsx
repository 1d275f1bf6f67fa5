import type { ReactElement } from 'react';
import type { WorkloadState } from '../server/workloads/workload.schema.js';

interface StateBadgeProps {
  readonly state: WorkloadState;
  readonly isCancelRequested: boolean;
}

const LOOKS: Readonly<Record<WorkloadState, string>> = {
  pending: 'border-line text-muted',
  starting: 'border-accent/50 text-accent',
  running: 'border-accent/50 bg-accent/10 text-accent',
  evicting: 'border-warn/60 text-warn',
  succeeded: 'border-ok/50 text-ok',
  failed: 'border-bad/60 bg-bad/10 text-bad',
  cancelled: 'border-line text-muted',
};

export function StateBadge({ state, isCancelRequested }: StateBadgeProps): ReactElement {
  const isCancelling = isCancelRequested && (state === 'pending' || state === 'starting' || state === 'running');
  return (
    <span
      className={`inline-block rounded-full border px-2 py-0.5 text-xs font-medium ${LOOKS[isCancelling ? 'evicting' : state]}`}
    >
      {isCancelling ? 'cancelling' : state}
    </span>
  );
}
