import type { Policy } from '../contract/index.js';

/** The wait before the next try after `failures` in a row: doubles each time, up to the policy's bound. */
export function backoffMs(retry: Policy['retry'], failures: number): number {
  // Past 2^30 the bound has long been reached, and powers of two stay exact.
  return Math.min(retry.backoffMsMax, retry.backoffMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
}
