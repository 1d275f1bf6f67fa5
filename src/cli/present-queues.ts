import type { Queue, Team } from '../server/quotas/quotas.schema.js';
import { formatAge } from './age.js';
import { formatMilli, orDash } from './amounts.js';
import type { Presentation } from './output.js';

export const QUEUES: Presentation<Queue> = {
  columns: [
    { title: 'NAME', of: ({ name }) => name },
    { title: 'PARENT', of: ({ parent }) => parent ?? '-' },
    { title: 'TEAM', of: ({ team }) => team ?? '-' },
    { title: 'PENDING', of: ({ workloads }) => String(workloads.pending) },
    { title: 'RUNNING', of: ({ workloads }) => String(workloads.running) },
    { title: 'USED/QUOTA', of: usageOf },
    { title: 'WEIGHT', of: ({ weight }) => String(weight), wide: true },
    { title: 'AVAILABLE', of: availableOf, wide: true },
  ],
  name: ({ name }) => `queue/${name}`,
  key: ({ name }) => name,
  none: 'No queues: the server was started without a quota file.',
};

export function presentTeams(now: () => number): Presentation<Team> {
  return {
    columns: [
      { title: 'NAME', of: ({ name }) => name },
      { title: 'TITLE', of: ({ title }) => title },
      { title: 'QUEUES', of: ({ queues }) => orDash(queues.join(',')) },
      { title: 'AGE', of: ({ createdAt }) => formatAge(createdAt, now()) },
    ],
    name: ({ name }) => `team/${name}`,
    key: ({ name }) => name,
    none: 'No teams: the server was started without a quota file.',
  };
}

/** A queue above others often has no quota of its own, and then no number to hold its use against. */
function usageOf({ flavors, leaf }: Queue): string {
  const used = flavors.map(({ flavor, used: milli, nominal }) => {
    const quota = leaf || nominal > 0 ? `/${formatMilli(nominal)}` : '';
    return `${flavor} ${formatMilli(milli)}${quota}`;
  });
  return orDash(used.join(', '));
}

function availableOf({ flavors }: Queue): string {
  return orDash(flavors.map(({ flavor, available }) => `${flavor} ${formatMilli(available)}`).join(', '));
}
