import { useCallback, type ReactElement } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ClusterPage } from './cluster-page.js';
import type { SessionState } from './session-reader.js';
import { SignInPage } from './sign-in-page.js';
import { WaitingPage } from './waiting-page.js';

/** The page for who is signed in, and else how to get in. */
export function App({ readSession }: { readonly readSession: () => Promise<SessionState> }): ReactElement {
  const queries = useQueryClient();
  const session = useQuery({ queryKey: ['session'], queryFn: readSession, staleTime: Infinity });
  const checkSession = useCallback(() => {
    void queries.invalidateQueries({ queryKey: ['session'] });
  }, [queries]);

  if (session.data === undefined) return <WaitingPage isFailing={session.failureCount > 0} />;
  if (session.data.kind === 'signed-out') return <SignInPage detail={session.data.detail} />;
  return <ClusterPage session={session.data.session} onRefused={checkSession} />;
}
