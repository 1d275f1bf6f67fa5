import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { PodIdentity } from './principal.js';

const PREFIX = 'berth_pod_';
const ClaimsSchema = z.tuple([z.string(), z.int(), z.string()]);

/**
 * The status token of a pod: who it is, signed. It is derived, not stored, so that creating a pod twice gives it the
 * same token. It dies with its incarnation: the status route compares that with the ledger.
 */
export function podTokenOf(secret: Buffer, pod: Omit<PodIdentity, 'kind'>): string {
  const claims = Buffer.from(JSON.stringify([pod.workload, pod.incarnation, pod.pod])).toString('base64url');
  return `${PREFIX}${claims}.${sign(secret, claims)}`;
}

/** The pod that a token was made for; `undefined` for anything else than our own, untouched token. */
export function readPodToken(secret: Buffer, token: string): PodIdentity | undefined {
  if (!token.startsWith(PREFIX)) return undefined;
  const [claims = '', ...rest] = token.slice(PREFIX.length).split('.');
  // As text: decoded, several signatures would be the same.
  const given = Buffer.from(rest.join('.'));
  const right = Buffer.from(sign(secret, claims));
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const [workload, incarnation, pod] = ClaimsSchema.parse(JSON.parse(Buffer.from(claims, 'base64url').toString()));
  return { kind: 'pod', workload, incarnation, pod };
}

function sign(secret: Buffer, claims: string): string {
  return createHmac('sha256', secret).update(claims).digest('base64url');
}
