import type { ReactElement } from 'react';

/** Before the server has said who is signed in: for a moment, or for as long as it cannot be reached. */
export function WaitingPage({ isFailing }: { readonly isFailing: boolean }): ReactElement {
  return (
    <main className="grid min-h-dvh place-items-center p-6" aria-busy="true">
      <p role="status" className="text-sm text-muted">
        {isFailing ? 'The server does not answer; trying again …' : ''}
      </p>
    </main>
  );
}
