import { createHash } from 'node:crypto';
import { slotTotal, type NodeSpec } from '../../core/index.js';
import type { PodCreation, PodOrder } from '../cluster.js';
import type { LocalLimits } from './local-limits.js';
import type { LocalPaths } from './local-paths.js';
import { PodFolder } from './pod-folder.js';
import type { PodPlan } from './pod-plan.js';

export type Refusal = Extract<PodCreation, { readonly kind: 'refused' }>;

/** What the driver itself adds to an order. */
export interface PlanContext {
  readonly paths: LocalPaths;
  readonly limits: LocalLimits;
  /** The compiled program of the trainer. */
  readonly trainerFile: string;
}

const NAME_LENGTH_MAX = 128;
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Names become folders, so they are checked here once more, whoever gave them: no separators, no leading dot, nothing
 * that a file system could take for something else.
 */
export function isSafeName(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && NAME.test(name) && !name.includes('..');
}

/** Why this order can never be carried out on this node; undefined when it can. */
export function refusalOf(order: PodOrder, node: NodeSpec | undefined): Refusal | undefined {
  const names = [order.name, order.team, order.pod.workload];
  const unsafe = names.find((name) => !isSafeName(name));
  if (unsafe !== undefined) return refuse(`"${unsafe}" cannot be the name of a folder`, 'never');
  if (node === undefined) return refuse(`there is no node ${order.node}`, 'elsewhere');
  const devices = slotTotal(node);
  const missing = order.slots.find(({ slot }) => !Number.isSafeInteger(slot) || slot < 0 || slot >= devices);
  if (missing !== undefined) return refuse(`node ${order.node} has no device ${missing.slot}`, 'elsewhere');
  const { program } = order;
  const isEmpty = program.kind === 'command' && (program.command[0] ?? '') === '';
  return isEmpty ? refuse('the command is empty', 'never') : undefined;
}

export function refuse(why: string, retry: 'elsewhere' | 'never'): Refusal {
  return { kind: 'refused', why, retry };
}

export function planPod(order: PodOrder, { paths, limits, trainerFile }: PlanContext): PodPlan {
  const { jobFile } = new PodFolder(paths.pod(order.name));
  return {
    name: order.name,
    pod: order.pod,
    node: order.node,
    program: order.program.kind,
    command:
      order.program.kind === 'trainer' ? [process.execPath, trainerFile, '--file', jobFile] : order.program.command,
    environment: podEnvironment(order, paths),
    cpuMilli: order.cpuMilli,
    memoryMib: order.memoryMib,
    graceMs: order.graceSeconds * 1000,
    socket: paths.socket,
    fence: paths.fence(order.pod.workload),
    adoptWithinMs: limits.adoptWithinMs,
    orphanGraceMs: Math.min(limits.orphanGraceMs, order.graceSeconds * 1000),
    cgroups: limits.cgroups,
  };
}

/** What pods may see of the server's own environment: nothing else, above all no secrets. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ'] as const;

export function inheritedEnvironment(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The contract of `PodEnvironmentSchema`. It comes last: a program's own variables cannot make it another pod. */
function podEnvironment(order: PodOrder, paths: LocalPaths): Readonly<Record<string, string>> {
  const { workload, incarnation } = order.pod;
  return {
    ...inheritedEnvironment(),
    ...(order.program.kind === 'command' ? order.program.env : {}),
    BERTH_WORKLOAD: workload,
    BERTH_POD: order.name,
    BERTH_INCARNATION: String(incarnation),
    BERTH_WORKLOAD_DIR: paths.workload(order.team, workload),
    BERTH_DEVICES: order.slots.map(({ slot }) => slot).join(','),
    BERTH_VIRTUAL_DEVICES: '1',
    BERTH_STATUS_URL: order.status.url,
    BERTH_STATUS_TOKEN_FILE: new PodFolder(paths.pod(order.name)).tokenFile,
    BERTH_GRACE_SECONDS: String(order.graceSeconds),
    RANK: String(order.rank),
    WORLD_SIZE: String(order.worldSize),
    // All virtual nodes are this machine, also `masterNode`.
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(masterPort(workload, incarnation)),
  };
}

const PORT_FIRST = 20_000;
const PORTS = 10_000;

/** All pods of a gang must come to the same port without asking; below the range that the kernel gives out. */
function masterPort(workload: string, incarnation: number): number {
  const hash = createHash('sha256').update(`${workload}/${incarnation}`).digest();
  return PORT_FIRST + (hash.readUInt32BE(0) % PORTS);
}
