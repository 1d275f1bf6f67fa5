import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Programs of pods, as opposed to the shims that watch over them. */
export interface PodProcess {
  readonly pid: number;
  readonly pod: string;
  readonly workload: string;
  readonly incarnation: number;
}

/**
 * Everything that runs for a data directory: by its arguments, by its environment, or because it works there, as
 * PostgreSQL does. Linux only: elsewhere nothing is found.
 */
export function processesBelow(directory: string): readonly RunningProcess[] {
  return processIds().flatMap((pid) => {
    const [command, environment] = [read(pid, 'cmdline'), read(pid, 'environ')];
    const isBelow = [command, environment].some((text) => text.includes(directory)) || worksBelow(pid, directory);
    if (!isBelow || pid === process.pid) return [];
    return [{ pid, command: command.replaceAll('\0', ' ').trim(), environment: variablesOf(environment) }];
  });
}

export function podProcessesBelow(directory: string): readonly PodProcess[] {
  return processIds().flatMap((pid) => {
    const environment = read(pid, 'environ');
    if (!environment.includes(directory)) return [];
    const { BERTH_POD: pod, BERTH_WORKLOAD: workload, BERTH_INCARNATION: incarnation } = variablesOf(environment);
    if (pod === undefined || workload === undefined) return [];
    return [{ pid, pod, workload, incarnation: Number(incarnation) }];
  });
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  } catch {
    return [];
  }
}

function worksBelow(pid: number, directory: string): boolean {
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${directory}/`);
  } catch {
    return false; // gone meanwhile, or another user's
  }
}

function read(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function variablesOf(environment: string): Readonly<Record<string, string>> {
  const lines = environment.split('\0').filter((line) => line.includes('='));
  const pairs = lines.map((line) => [line, line.indexOf('=')] as const);
  return Object.fromEntries(pairs.map(([line, at]) => [line.slice(0, at), line.slice(at + 1)]));
}
