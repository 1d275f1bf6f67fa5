import { existsSync, openSync, readSync } from 'node:fs';

/** Linux: nanoseconds on a processor, of the thread that opens it, then others; fresh at every read. */
const THREAD_STATISTICS = '/proc/thread-self/schedstat';

const file = existsSync(THREAD_STATISTICS) ? openSync(THREAD_STATISTICS, 'r') : undefined;
const buffer = Buffer.alloc(64);
const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Milliseconds of CPU that this thread has taken. Not of the clock: on a machine that does other things too, only they
 * tell what the work costs. Not of the process: its other threads compile in the background what runs often, which
 * delays nobody. Where the system does not count by thread, of the process.
 */
export function cpuTime(): number {
  if (file === undefined) return processCpuTime();
  // Between the ticks of the system, of some milliseconds, a thread's time is brought up to date only when it sleeps.
  Atomics.wait(nobody, 0, 0, 0.001);
  const length = readSync(file, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ', 1)[0]) / 1e6;
}

/** Milliseconds of CPU of all threads of the process. */
export function processCpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
