import type { ReactElement } from 'react';
import { Wordmark } from './wordmark.js';

/** How to get in: there is no password to type, the command line opens the door. */
export function SignInPage({ detail }: { readonly detail: string | undefined }): ReactElement {
  return (
    <main className="grid min-h-dvh place-items-center p-6">
      <div className="w-full max-w-md rounded-xl border border-line bg-surface p-6 shadow-sm">
        <Wordmark />
        <h1 className="mt-5 text-lg font-semibold">You are not signed in</h1>
        {detail === undefined ? undefined : (
          <p role="alert" className="mt-3 rounded-md border border-bad/40 bg-bad/10 px-3 py-2 text-sm">
            {detail}
          </p>
        )}
        <p className="mt-3 text-sm text-muted">
          In the checkout that the server runs from, or where the command line is set up:
        </p>
        <pre className="mt-3 overflow-x-auto rounded-md border border-line bg-raised px-3 py-2 text-sm">
          <code>npx berth dashboard</code>
        </pre>
        <p className="mt-3 text-sm text-muted">
          It prints a link to this page. The link works once and for ten minutes; the session it opens lasts twelve
          hours.
        </p>
      </div>
    </main>
  );
}
