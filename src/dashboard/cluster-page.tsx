import { useMemo, type ReactElement } from 'react';
import type { Session } from '../server/auth/session.schema.js';
import { FleetPanel } from './fleet-panel.js';
import type { ClusterState } from './live-state.js';
import { PageHeader } from './page-header.js';
import { QueuePanel } from './queue-panel.js';
import { teamMarks, teamsIn } from './team-marks.js';
import { useLiveState } from './use-live-state.js';
import { WorkloadPanel } from './workload-panel.js';

interface ClusterPageProps {
  readonly session: Session;
  readonly onRefused: () => void;
}

export function ClusterPage({ session, onRefused }: ClusterPageProps): ReactElement {
  const live = useLiveState(onRefused);
  return (
    <>
      <PageHeader session={session} live={live} />
      <main className="mx-auto max-w-[1760px] p-3 sm:p-4">
        <h1 className="sr-only">Cluster</h1>
        {live.cluster === undefined ? undefined : <Panels cluster={live.cluster} />}
      </main>
    </>
  );
}

function Panels({ cluster }: { readonly cluster: ClusterState }): ReactElement {
  // As one text, so that the marks change, and all nodes render, only when a team comes or goes.
  const teams = teamsIn(cluster).join(' ');
  const marks = useMemo(() => teamMarks(teams === '' ? [] : teams.split(' ')), [teams]);
  return (
    <div className="grid items-start gap-3 sm:gap-4 xl:grid-cols-[minmax(0,1fr)_26rem]">
      <FleetPanel nodes={cluster.nodes} marks={marks} />
      <QueuePanel queues={cluster.queues} marks={marks} />
      <div className="min-w-0 xl:col-span-2">
        <WorkloadPanel workloads={cluster.workloads} marks={marks} />
      </div>
    </div>
  );
}
