import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { App } from './app.js';
import { sessionReader } from './session-reader.js';
import { signInCode, takeSignInCode } from './sign-in-code.js';
import './style.css';

const RETRY_MS_MAX = 5_000;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: true,
      retryDelay: (attempt) => Math.min(RETRY_MS_MAX, 500 * 2 ** attempt) * (0.5 + Math.random() / 2),
      refetchOnWindowFocus: false,
      // A page on the same machine as its server works without a network.
      networkMode: 'always',
    },
  },
});

const readSession = sessionReader(takeSignInCode(location, history));
// A second link, put into the address of the open page, changes only the fragment: the browser does not load anew.
addEventListener('hashchange', () => {
  if (signInCode(location.hash) !== undefined) location.reload();
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App readSession={readSession} />
    </QueryClientProvider>
  </StrictMode>,
);
