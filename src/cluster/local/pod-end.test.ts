import { describe, expect, it } from '@jest/globals';
import { podEndOf, type ProgramEnd, type RecordedEnd } from './pod-end.js';

const exited = (code: number): ProgramEnd['exit'] => ({ kind: 'exited', code });
const killed = (signal: NodeJS.Signals): ProgramEnd['exit'] => ({ kind: 'signalled', signal });
const notStarted = (errorCode: string): ProgramEnd['exit'] => ({ kind: 'not-started', errorCode, message: 'no' });
const tooMuch = { usedMib: 130, limitMib: 128 };

type Want = Pick<RecordedEnd, 'outcome' | 'blame' | 'exitCode'>;
const failed = (exitCode: number): Want => ({ outcome: 'failed', blame: 'workload', exitCode });

const commands: Record<string, { end: ProgramEnd; want: Want }> = {
  'exit 0': { end: { exit: exited(0) }, want: { outcome: 'succeeded', blame: 'workload', exitCode: 0 } },
  'exit 64, a wrong job file': { end: { exit: exited(64) }, want: failed(64) },
  'exit 65, wrong data': { end: { exit: exited(65) }, want: failed(65) },
  'exit 75 by itself': { end: { exit: exited(75) }, want: failed(75) },
  'a signal of its own': { end: { exit: killed('SIGSEGV') }, want: failed(139) },
  'SIGKILL from outside': { end: { exit: killed('SIGKILL') }, want: failed(137) },
  'too much memory': { end: { exit: killed('SIGKILL'), outOfMemory: tooMuch }, want: failed(137) },
  'a shell that outlived its child over memory': { end: { exit: exited(1), outOfMemory: tooMuch }, want: failed(137) },
  'no such program': { end: { exit: notStarted('ENOENT') }, want: failed(127) },
  'no permission to run it': { end: { exit: notStarted('EACCES') }, want: failed(126) },
  'a machine without free processes': {
    end: { exit: notStarted('EAGAIN') },
    want: { outcome: 'failed', blame: 'node', exitCode: 126 },
  },
  'a stop, answered with 0': {
    end: { exit: exited(0), stopped: 'deleted' },
    want: { outcome: 'deleted', blame: 'scheduler', exitCode: 0 },
  },
  'a stop, answered with a checkpoint': {
    end: { exit: exited(75), stopped: 'deleted' },
    want: { outcome: 'deleted', blame: 'scheduler', exitCode: 75 },
  },
  'a server that went away': {
    end: { exit: killed('SIGTERM'), stopped: 'server-gone' },
    want: { outcome: 'evicted', blame: 'node', exitCode: 143 },
  },
  'a server that was stopped': {
    end: { exit: exited(75), stopped: 'server-stopped' },
    want: { outcome: 'evicted', blame: 'node', exitCode: 75 },
  },
  'a newer incarnation': {
    end: { exit: killed('SIGKILL'), stopped: 'superseded' },
    want: { outcome: 'evicted', blame: 'scheduler', exitCode: 137 },
  },
};

describe('the end of a pod', () => {
  it.each(Object.entries(commands))('after %s', (_title, { end, want }) => {
    expect(podEndOf(end, 'command')).toMatchObject(want);
  });

  it('is a success when the trainer was done before it heard of the stop', () => {
    const end = podEndOf({ exit: exited(0), stopped: 'server-gone' }, 'trainer');
    expect(end).toMatchObject({ outcome: 'succeeded', blame: 'workload', exitCode: 0 });
  });

  it('says how much memory was used, and what the limit is', () => {
    const { detail } = podEndOf({ exit: killed('SIGKILL'), outOfMemory: tooMuch }, 'command');
    expect(detail).toBe('OOMKilled: the pod used 130 MiB, its limit is 128 MiB. Ask for more memory.');
  });
});
