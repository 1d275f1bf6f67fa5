import type { Ms, Policy } from '../contract/index.js';
import type { BrakeWindow, CoreState } from '../core-state.js';

/** However few run, so many may be evicted in a window. */
const LIMIT_MIN = 10;

/**
 * May a set that evicts so many start now? `undefined`: yes; else the time from which it may. The brake stops sets from
 * starting and never cuts them; a set larger than the limit goes alone, in an empty window, and fills it: otherwise a
 * large owner could never take back what is its own.
 */
export function brakedUntilMs(state: CoreState, evictions: number, nowMs: Ms): Ms | undefined {
  const { brake } = state.policy.preemption;
  const open = openWindow(state.brakeWindow, brake, nowMs);
  if (evictions === 0 || open === undefined || open.evictions + evictions <= open.limit) return undefined;
  return open.startMs + brake.windowMs;
}

export function countEvictions(state: CoreState, evictions: number, nowMs: Ms): void {
  if (evictions === 0) return;
  const { brake } = state.policy.preemption;
  const limit = brake.evictions ?? Math.max(LIMIT_MIN, Math.floor(state.book.running.startedCount / 10));
  const open = openWindow(state.brakeWindow, brake, nowMs) ?? { startMs: nowMs, evictions: 0, limit };
  state.brakeWindow = { ...open, evictions: open.evictions + evictions };
}

/** The set that was counted is refused: nobody was evicted. */
export function uncountEvictions(state: CoreState, evictions: number, nowMs: Ms): void {
  const open = openWindow(state.brakeWindow, state.policy.preemption.brake, nowMs);
  if (open === undefined) return;
  state.brakeWindow = { ...open, evictions: Math.max(0, open.evictions - evictions) };
}

function openWindow(
  window: BrakeWindow | undefined,
  brake: Policy['preemption']['brake'],
  nowMs: Ms,
): BrakeWindow | undefined {
  return window !== undefined && nowMs < window.startMs + brake.windowMs ? window : undefined;
}
