import type { ReactElement } from 'react';
import type { LiveState } from './live-state.js';

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Whether what is shown is what is. */
export function ConnectionState({ live: { connection, updatedAtMs } }: { readonly live: LiveState }): ReactElement {
  const isLost = connection === 'lost';
  return (
    <span
      role="status"
      className={isLost ? 'rounded-md bg-warn/15 px-2 py-1 font-medium text-ink' : 'flex items-center gap-1.5'}
    >
      {connection === 'live' ? <span aria-hidden="true" className="size-2 rounded-full bg-ok" /> : undefined}
      {sentence(connection, updatedAtMs)}
    </span>
  );
}

function sentence(connection: LiveState['connection'], updatedAtMs: number | undefined): string {
  switch (connection) {
    case 'connecting':
      return 'Connecting …';
    case 'live':
      return 'Live';
    case 'lost':
      return updatedAtMs === undefined
        ? 'Connection lost, trying again …'
        : `Connection lost, last update ${CLOCK.format(updatedAtMs)}; trying again …`;
  }
}
