import { cpuTime } from './cpu-time.js';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 'x' | 'MiB' | 'B';
  /** How often what was done for it, e.g. for each round. */
  readonly work?: Readonly<Record<string, number>>;
}

/** Milliseconds of CPU of the thread that decides. */
export function timeOf(work: () => void): number {
  const start = cpuTime();
  work();
  return cpuTime() - start;
}

export function mean(times: readonly number[]): number {
  return times.reduce((sum, time) => sum + time, 0) / Math.max(1, times.length);
}

export function p99(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

/** What was done between two counts, for each of the rounds. */
export function workBetween(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  rounds = 1,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(after).map(([what, count]) => [what, (count - (before[what] ?? 0)) / rounds]),
  );
}
