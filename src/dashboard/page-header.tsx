import type { ReactElement } from 'react';
import type { Session } from '../server/auth/session.schema.js';
import { ConnectionState } from './connection-state.js';
import type { LiveState } from './live-state.js';
import { Wordmark } from './wordmark.js';

interface PageHeaderProps {
  readonly session: Session;
  readonly live: LiveState;
}

export function PageHeader({ session, live }: PageHeaderProps): ReactElement {
  return (
    <header className="sticky top-0 z-10 border-b border-line bg-surface/95 backdrop-blur">
      <div className="mx-auto flex min-h-12 max-w-[1760px] flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-2">
        <Wordmark />
        <div className="flex items-center gap-4 text-xs text-muted">
          <ConnectionState live={live} />
          <span>
            {session.name}
            {session.name === session.role ? '' : ` · ${session.role}`}
            {session.team === undefined ? '' : ` · ${session.team}`}
          </span>
        </div>
      </div>
    </header>
  );
}
