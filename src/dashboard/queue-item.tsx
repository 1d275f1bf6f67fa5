import type { ReactElement } from 'react';
import { QuotaBar } from './quota-bar.js';
import type { QueueUse } from './quota-use.js';
import type { TeamMark } from './team-marks.js';
import { TeamSwatch } from './team-swatch.js';

interface QueueItemProps {
  readonly use: QueueUse;
  readonly mark: TeamMark;
}

export function QueueItem({ use: { queue, depth, flavors }, mark }: QueueItemProps): ReactElement {
  const { pending, running } = queue.workloads;
  return (
    <li
      aria-label={`Queue ${queue.name}`}
      className="py-3 pr-4"
      // A deep tree must not push its bars out of a narrow page.
      style={{ paddingLeft: `${1 + Math.min(depth, 6)}rem` }}
    >
      <div className="flex items-center gap-2 text-sm">
        {queue.team === undefined ? undefined : <TeamSwatch mark={mark} />}
        <span className="min-w-0 truncate font-medium">{queue.name}</span>
        <span className="ml-auto shrink-0 text-xs text-muted">
          {running} running · {pending} pending
        </span>
      </div>
      <ul className="mt-2 space-y-2">
        {flavors.map((flavor) => (
          <QuotaBar key={flavor.flavor} use={flavor} mark={mark} />
        ))}
      </ul>
      {flavors.length === 0 ? <p className="mt-1 text-xs text-muted">No quota in any flavor.</p> : undefined}
    </li>
  );
}
