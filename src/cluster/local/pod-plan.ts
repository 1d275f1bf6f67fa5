import type { NodeName, PodRef } from '../../core/index.js';

/**
 * What a shim needs to run its pod, written to the pod's folder before the shim starts. The shim is one process a pod,
 * so it stays small: it checks this file by hand instead of loading a schema library.
 */
export interface PodPlan {
  readonly name: string;
  readonly pod: PodRef;
  readonly node: NodeName;
  readonly program: 'command' | 'trainer';
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly graceMs: number;
  /** Where the driver listens for its shims. */
  readonly socket: string;
  /** Holds the newest incarnation of the workload. */
  readonly fence: string;
  /** How long a pod outlives its server without a new one, and how long it then has to stop. */
  readonly adoptWithinMs: number;
  readonly orphanGraceMs: number;
  readonly cgroups: 'auto' | 'never';
}

/** True for a plan written by this version; false for anything else, e.g. a file of another version. */
export function isPodPlan(value: unknown): value is PodPlan {
  return (
    isRecord(value) &&
    isRecord(value.pod) &&
    isRecord(value.environment) &&
    Object.values(value.environment).every((text) => typeof text === 'string') &&
    Array.isArray(value.command) &&
    value.command.every((word) => typeof word === 'string') &&
    [value.name, value.node, value.socket, value.fence, value.pod.workload, value.pod.podSet].every(isText) &&
    [value.cpuMilli, value.memoryMib, value.graceMs, value.adoptWithinMs, value.orphanGraceMs].every(isCount) &&
    [value.pod.incarnation, value.pod.index].every(isCount) &&
    (value.program === 'command' || value.program === 'trainer') &&
    (value.cgroups === 'auto' || value.cgroups === 'never')
  );
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
