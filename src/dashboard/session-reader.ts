import type { Session } from '../server/auth/session.schema.js';
import { readJson, type ApiAnswer } from './read-json.js';

export type SessionState =
  | { readonly kind: 'signed-in'; readonly session: Session }
  /** `detail` says what was wrong with the link that was followed, when there was one. */
  | { readonly kind: 'signed-out'; readonly detail?: string };

/** Reads who is signed in; the first time it swaps the code of the link, if there is one, for a session. */
export function sessionReader(code: string | undefined): () => Promise<SessionState> {
  let unused = code;
  return async () => {
    const swapped = unused === undefined ? undefined : await swapCode(unused);
    unused = undefined;
    if (swapped?.kind === 'ok') return { kind: 'signed-in', session: swapped.body };
    // An old link in a browser that is still signed in leads to the page all the same.
    const read = await readJson<Session>('/v1/session');
    if (read.kind === 'ok') return { kind: 'signed-in', session: read.body };
    return { kind: 'signed-out', ...(swapped === undefined ? {} : { detail: swapped.detail }) };
  };
}

function swapCode(code: string): Promise<ApiAnswer<Session>> {
  return readJson('/v1/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
}
