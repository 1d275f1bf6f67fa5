import { readFileSync, readdirSync } from 'node:fs';
import { cgroupProcesses } from './pod-cgroup.js';
import { killProcess, sendSignal, type ProcessIdentity } from './process-identity.js';

/** How the processes of a pod are found; each way alone misses some. */
export interface PodTraces {
  /** The pod's folder: every child inherits it in `BERTH_POD_FOLDER`, also one in a session of its own. */
  readonly folder: string;
  readonly cgroups: readonly string[];
  /** The program: leader of its process group. */
  readonly group?: ProcessIdentity;
}

const ROUNDS_MAX = 100;
const ROUND_MS = 10;

/**
 * SIGKILL for everything that belongs to a pod, again and again until nothing is found: a process may fork between two
 * looks. False when something could not be killed in about a second, e.g. because it hangs in the kernel.
 */
export async function killPodProcesses(traces: PodTraces): Promise<boolean> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const leaderKilled = traces.group !== undefined && killProcess(traces.group, 'group');
    const others = podProcesses(traces);
    for (const pid of others) sendSignal(pid, 'SIGKILL');
    if (!leaderKilled && others.length === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
  }
  return false;
}

/** Processes of a pod other than this one. Without `/proc` only those in its groups are known. */
function podProcesses({ folder, cgroups }: PodTraces): readonly number[] {
  const marker = `\0${FOLDER_VARIABLE}=${folder}\0`;
  const marked = processIds().filter((pid) => `\0${readProc(pid, 'environ')}`.includes(marker));
  return [...new Set([...marked, ...cgroupProcesses(cgroups)])].filter((pid) => pid !== process.pid);
}

export const FOLDER_VARIABLE = 'BERTH_POD_FOLDER';

/**
 * Memory that a process group and its descendants keep from others, in MiB: anonymous and shared pages. Pages of files
 * are left out, they can be given back at any time. Undefined without `/proc`.
 */
export function groupMemoryMib(leader: number): number | undefined {
  const kib = groupProcesses(leader).map(privateKib);
  return process.platform === 'linux' ? Math.ceil(kib.reduce((sum, one) => sum + one, 0) / 1024) : undefined;
}

// Fields of /proc/PID/stat after the command in parentheses.
const PARENT = 1;
const GROUP = 2;
const SESSION = 3;

function groupProcesses(leader: number): readonly number[] {
  const members = new Set<number>();
  // Parents have lower pids nearly always, so one pass in order finds descendants, too.
  for (const pid of processIds()) {
    const stat = readProc(pid, 'stat');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const parent = fields[PARENT] ?? 0;
    if (fields[GROUP] === leader || fields[SESSION] === leader || members.has(parent)) members.add(pid);
  }
  return [...members];
}

function privateKib(pid: number): number {
  const status = readProc(pid, 'status');
  return ['RssAnon', 'RssShmem'].reduce((sum, name) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return sum + Number(kib ?? 0);
  }, 0);
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isSafeInteger(pid) && pid > 0)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

function readProc(pid: number, file: 'environ' | 'stat' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // gone meanwhile, or another user's
  }
}
