import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutOfMemory } from './pod-end.js';

/** What a pod may use, as the kernel is told. */
export interface PodLimits {
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** `home` is the cgroup of this process, `path` the pod's below or beside it. */
interface Membership {
  readonly version: 1 | 2;
  readonly home: string;
  readonly path: string;
  readonly controllers: readonly ('cpu' | 'memory')[];
}

const MIB = 1024 * 1024;

/**
 * The control groups of one pod: one for all controllers with version 2, one each with version 1. They exist only where
 * this user may make them (root, or a delegated session); elsewhere the shim watches memory itself and uses `nice`.
 */
export class PodCgroup {
  private constructor(private readonly memberships: readonly Membership[]) {}

  static open(name: string, limits: PodLimits): PodCgroup {
    const memberships = candidates(name).filter((membership) => make(membership, limits));
    return new PodCgroup(firstPerController(memberships));
  }

  get paths(): readonly string[] {
    return this.memberships.map(({ path }) => path);
  }

  limits(controller: 'cpu' | 'memory'): boolean {
    return this.memberships.some(({ controllers }) => controllers.includes(controller));
  }

  /**
   * Runs `spawn` with this process inside the pod's groups: a child is born where its parent is, so the program never
   * runs a moment outside of its limits.
   */
  inside<T>(spawn: () => T): T {
    for (const { path } of this.memberships) moveSelf(path);
    try {
      return spawn();
    } finally {
      for (const { home } of this.memberships) moveSelf(home);
    }
  }

  /** Defined once the kernel has killed something of the pod for its memory. */
  outOfMemory(limitMib: number): OutOfMemory | undefined {
    const memory = this.memberships.find(({ controllers }) => controllers.includes('memory'));
    if (memory === undefined) return undefined;
    const events = readText(join(memory.path, memory.version === 2 ? 'memory.events' : 'memory.oom_control'));
    if (!/^oom_kill [1-9]/m.test(events)) return undefined;
    const peak = readText(join(memory.path, memory.version === 2 ? 'memory.peak' : 'memory.max_usage_in_bytes'));
    const usedMib = Math.ceil(Number.parseInt(peak, 10) / MIB);
    return { usedMib: Number.isNaN(usedMib) ? limitMib : usedMib, limitMib };
  }
}

/** Processes in these groups. */
export function cgroupProcesses(paths: readonly string[]): readonly number[] {
  return paths.flatMap((path) =>
    readText(join(path, 'cgroup.procs'))
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  );
}

/** Removes empty groups; true when none is left. */
export function removeCgroups(paths: readonly string[]): boolean {
  return paths.map(removeGroup).every((removed) => removed);
}

function removeGroup(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/** Where the pod's groups could be: version 2 below or beside our own, then version 1 below our own. */
function candidates(name: string): readonly Membership[] {
  const mounts = cgroupMounts();
  return readText('/proc/self/cgroup')
    .split('\n')
    .flatMap((line): Membership[] => {
      const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (names === undefined || path === undefined) return [];
      const mount = mounts.find(({ version, options }) =>
        names === '' ? version === 2 : version === 1 && names.split(',').every((one) => options.includes(one)),
      );
      if (mount === undefined) return [];
      const home = join(mount.point, path.startsWith(mount.root) ? path.slice(mount.root.length) : path);
      if (names === '') return unifiedCandidates(home, mount.point, name);
      const controllers = (['cpu', 'memory'] as const).filter((controller) => names.split(',').includes(controller));
      return controllers.length === 0 ? [] : [{ version: 1, home, path: join(home, name), controllers }];
    });
}

/** Version 2 hands a controller down only from a group without processes of its own, so often only beside us. */
function unifiedCandidates(home: string, mountPoint: string, name: string): Membership[] {
  const parents = home === mountPoint ? [home] : [home, join(home, '..')];
  return parents.flatMap((parent): Membership[] => {
    const handedDown = readText(join(parent, 'cgroup.subtree_control')).trim().split(' ');
    const controllers = (['cpu', 'memory'] as const).filter((controller) => handedDown.includes(controller));
    return controllers.length === 0 ? [] : [{ version: 2, home, path: join(parent, name), controllers }];
  });
}

function firstPerController(memberships: readonly Membership[]): readonly Membership[] {
  const kept: Membership[] = [];
  for (const membership of memberships) {
    const isNew = membership.controllers.some((one) => !kept.some(({ controllers }) => controllers.includes(one)));
    // Version 2 allows one place only, and a process in two of its groups is impossible.
    if (isNew && !(membership.version === 2 && kept.some(({ version }) => version === 2))) kept.push(membership);
    else removeGroup(membership.path);
  }
  return kept;
}

function make({ version, path, home, controllers }: Membership, { cpuMilli, memoryMib }: PodLimits): boolean {
  try {
    removeGroup(path);
    mkdirSync(path);
    const shares = Math.min(262_144, Math.max(2, Math.round((cpuMilli * 1024) / 1000)));
    if (controllers.includes('cpu')) {
      // The kernel's conversion between the two scales, as Kubernetes uses it.
      if (version === 2) write(path, 'cpu.weight', 1 + Math.floor(((shares - 2) * 9999) / 262_142));
      else write(path, 'cpu.shares', shares);
    }
    if (controllers.includes('memory')) limitMemory(version, path, memoryMib);
    moveSelf(path);
    moveSelf(home);
    return true;
  } catch {
    removeGroup(path);
    return false;
  }
}

function limitMemory(version: 1 | 2, path: string, memoryMib: number): void {
  if (version === 1) {
    write(path, 'memory.limit_in_bytes', memoryMib * MIB);
    writeIfThere(path, 'memory.memsw.limit_in_bytes', memoryMib * MIB);
    return;
  }
  write(path, 'memory.max', memoryMib * MIB);
  writeIfThere(path, 'memory.swap.max', 0);
  writeIfThere(path, 'memory.oom.group', 1);
}

function moveSelf(path: string): void {
  write(path, 'cgroup.procs', process.pid);
}

function write(folder: string, file: string, value: number): void {
  writeFileSync(join(folder, file), String(value), { flag: 'r+' });
}

/** For files that depend on how the kernel was built. */
function writeIfThere(folder: string, file: string, value: number): void {
  try {
    write(folder, file, value);
  } catch {
    // without swap accounting there is no swap limit
  }
}

interface Mount {
  readonly version: 1 | 2;
  readonly root: string;
  readonly point: string;
  readonly options: readonly string[];
}

/** `36 25 0:30 /root /mount/point options - cgroup source rw,cpu,cpuacct` */
function cgroupMounts(): readonly Mount[] {
  return readText('/proc/self/mountinfo')
    .split('\n')
    .flatMap((line): Mount[] => {
      const [mount = '', superBlock = ''] = line.split(' - ');
      const [, , , root, point] = mount.split(' ');
      const [type, , options = ''] = superBlock.split(' ');
      if (root === undefined || point === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
      const version = type === 'cgroup2' ? 2 : 1;
      return [{ version, root: root === '/' ? '' : root, point, options: options.split(',') }];
    });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
