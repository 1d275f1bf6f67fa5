import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process for ever: pids are used again, a pid together with the moment of its birth is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot and start time in clock ticks on Linux; the start time in words elsewhere. */
  readonly birth: string;
}

/** Undefined when no such process lives; a zombie has ended. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const birth = process.platform === 'linux' ? birthFromProc(pid) : birthFromPs(pid);
  return birth === undefined ? undefined : { pid, birth };
}

export function isAlive({ pid, birth }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.birth === birth;
}

/** True when a signal was sent: the process lives and is the one that is meant. */
export function killProcess(identity: ProcessIdentity, target: 'process' | 'group'): boolean {
  if (!isAlive(identity)) return false;
  return sendSignal(target === 'group' ? -identity.pid : identity.pid, 'SIGKILL');
}

/** As `process.kill`, but a process that is gone already is an answer, not an error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // ESRCH: gone; EPERM: never one of ours.
    return false;
  }
}

// After the command in parentheses, which may itself hold blanks and parentheses: state is field 3, start time 22.
const STATE = 0;
const START_TIME = 19;

function birthFromProc(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[START_TIME];
  if (startTime === undefined || fields[STATE] === 'Z' || fields[STATE] === 'X') return undefined;
  return `${bootId()}/${startTime}`;
}

function birthFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: 2000,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.slice(line.indexOf(' ')).trim();
  } catch {
    return undefined; // `ps` exits with 1 when there is no such process
  }
}

let knownBootId: string | undefined;
function bootId(): string {
  knownBootId ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown-boot';
  return knownBootId;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
