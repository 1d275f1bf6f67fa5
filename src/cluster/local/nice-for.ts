const NICE_OF_ONE_CPU = 10;
const NICE_MIN = 1;
const NICE_MAX = 19;
/** The kernel gives a process 1.25 times the weight of one that is nicer by one. */
const WEIGHT_PER_STEP = 1.25;

/**
 * The niceness that shares the machine roughly in proportion to the CPUs asked for, where there are no control groups.
 * Never below 1: the server itself, at 0, goes first.
 */
export function niceFor(cpuMilli: number): number {
  const steps = Math.log(Math.max(1, cpuMilli) / 1000) / Math.log(WEIGHT_PER_STEP);
  return Math.min(NICE_MAX, Math.max(NICE_MIN, Math.round(NICE_OF_ONE_CPU - steps)));
}
