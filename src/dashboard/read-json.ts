import type { ProblemDocument } from '../server/problem.schema.js';

export type ApiAnswer<T> =
  | { readonly kind: 'ok'; readonly body: T }
  /** The server has refused, and its sentence says why; trying again would not help. */
  | { readonly kind: 'refused'; readonly detail: string };

const TIMEOUT_MS = 10_000;

/** Asks the API; throws where trying again can help. */
export async function readJson<T>(path: string, init?: RequestInit): Promise<ApiAnswer<T>> {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.ok) return { kind: 'ok', body: (await response.json()) as T };
  if (response.status >= 500) throw new Error(`The server answered with ${response.status}.`);
  const problem = (await response.json()) as ProblemDocument;
  return { kind: 'refused', detail: problem.detail };
}
