import { constants } from 'node:os';
import type { PodEnd } from '../../core/index.js';
import type { PodPlan } from './pod-plan.js';

/** Why a pod was asked to stop. */
export const STOP_REASONS = ['deleted', 'superseded', 'server-gone', 'server-stopped'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

export interface OutOfMemory {
  readonly usedMib: number;
  readonly limitMib: number;
}

/** How the program of a pod ended, as its shim saw it. */
export interface ProgramEnd {
  readonly exit:
    | { readonly kind: 'exited'; readonly code: number }
    | { readonly kind: 'signalled'; readonly signal: NodeJS.Signals }
    | { readonly kind: 'not-started'; readonly errorCode: string; readonly message: string };
  readonly stopped?: StopReason;
  readonly outOfMemory?: OutOfMemory;
}

export interface RecordedEnd extends PodEnd {
  readonly detail: string;
}

const SIGNAL_BASE = 128;
const EXIT_KILLED = 137;
const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_FOUND = 127;

/**
 * Maps the end of a program to the words of the core. A pod that was asked to stop did not fail, whatever its exit
 * code: many programs answer SIGTERM with 0 or 143. Only the trainer's 0 always means that the work is done.
 */
export function podEndOf({ exit, stopped, outOfMemory }: ProgramEnd, program: PodPlan['program']): RecordedEnd {
  if (exit.kind === 'not-started') return endWithoutStart(exit);
  const exitCode = exit.kind === 'exited' ? exit.code : SIGNAL_BASE + constants.signals[exit.signal];
  const how = exit.kind === 'exited' ? `exited with code ${exitCode}` : `was killed by ${exit.signal}`;
  if (exitCode === 0 && (stopped === undefined || program === 'trainer')) {
    return { outcome: 'succeeded', blame: 'workload', exitCode, detail: `The program ${how}.` };
  }
  if (stopped !== undefined) return { ...endOfStop(stopped), exitCode, detail: `${stopSentence(stopped)} It ${how}.` };
  if (outOfMemory !== undefined) {
    const { usedMib, limitMib } = outOfMemory;
    const detail = `OOMKilled: the pod used ${usedMib} MiB, its limit is ${limitMib} MiB. Ask for more memory.`;
    return { outcome: 'failed', blame: 'workload', exitCode: EXIT_KILLED, detail };
  }
  return { outcome: 'failed', blame: 'workload', exitCode, detail: `The program ${how}.` };
}

/** The end of a pod whose node was failed by an operator. */
export function endOfFailedNode(node: string): RecordedEnd {
  return { outcome: 'lost', blame: 'node', exitCode: EXIT_KILLED, detail: `Node ${node} failed.` };
}

/** The end of a pod whose shim was killed from outside: nobody saw how its program ended. */
export const END_OF_VANISHED: RecordedEnd = {
  outcome: 'lost',
  blame: 'node',
  exitCode: EXIT_KILLED,
  detail: 'The process that watched over the pod vanished, so the pod was killed.',
};

/** The end of a pod that had to be killed because it did not end in its time. */
export function endOfForcedStop(why: StopReason): RecordedEnd {
  return { ...endOfStop(why), exitCode: EXIT_KILLED, detail: `${stopSentence(why)} It was killed.` };
}

function endOfStop(why: StopReason): Pick<RecordedEnd, 'outcome' | 'blame'> {
  switch (why) {
    case 'deleted':
      return { outcome: 'deleted', blame: 'scheduler' };
    case 'superseded':
      return { outcome: 'evicted', blame: 'scheduler' };
    case 'server-gone':
    case 'server-stopped':
      // Virtual nodes live in the server: they went away with it.
      return { outcome: 'evicted', blame: 'node' };
  }
}

function stopSentence(why: StopReason): string {
  switch (why) {
    case 'deleted':
      return 'The pod was asked to stop.';
    case 'superseded':
      return 'A newer incarnation of the workload was started.';
    case 'server-gone':
      return 'The server of the virtual node went away and none took its place.';
    case 'server-stopped':
      return 'The server of the virtual node was stopped.';
  }
}

function endWithoutStart(exit: { readonly errorCode: string; readonly message: string }): RecordedEnd {
  const detail = `The program could not be started: ${exit.message}.`;
  switch (exit.errorCode) {
    case 'ENOENT':
      return { outcome: 'failed', blame: 'workload', exitCode: EXIT_NOT_FOUND, detail };
    case 'EACCES':
    case 'ENOEXEC':
    case 'E2BIG':
      return { outcome: 'failed', blame: 'workload', exitCode: EXIT_NOT_EXECUTABLE, detail };
    default:
      // Out of processes, files or memory: the machine's fault.
      return { outcome: 'failed', blame: 'node', exitCode: EXIT_NOT_EXECUTABLE, detail };
  }
}
