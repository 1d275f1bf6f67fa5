import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { STOP_REASONS, type RecordedEnd, type StopReason } from './pod-end.js';
import { isCount, isPodPlan, isRecord, isText, type PodPlan } from './pod-plan.js';
import type { ProcessIdentity } from './process-identity.js';

/** How far a pod has come. `group` is the leader of the program's process group; `cgroups` are to be removed. */
export type PodStatus =
  | { readonly phase: 'bound'; readonly cgroups: readonly string[] }
  | { readonly phase: 'started'; readonly cgroups: readonly string[]; readonly group: ProcessIdentity }
  | { readonly phase: 'ended'; readonly hasStarted: boolean; readonly endedAtMs: number; readonly end: RecordedEnd };

/** A wish that outlives both sides of the line: the shim reads it when it is poked, and when it starts. */
export interface StopOrder {
  readonly why: StopReason;
  readonly graceMs: number;
}

/**
 * The folder of one pod: all that driver and shim know of it, so that either may be killed at any moment.
 *
 *     plan.json    what to run; written before the folder gets its name
 *     claim.json   the one process that may run it; made once, by whoever is first
 *     status.json  written by the holder of the claim only
 *     stop.json    written by the driver
 *     settled      made by the driver once the ledger knows that the pod has ended: only its output is still of use
 *     token        the secret of the pod        log.*  its output        work/  where it runs
 */
export class PodFolder {
  readonly workFolder: string;
  readonly tokenFile: string;
  readonly jobFile: string;
  readonly shimLog: string;

  constructor(readonly path: string) {
    this.workFolder = join(path, 'work');
    this.tokenFile = join(path, 'token');
    this.jobFile = join(path, 'job.json');
    this.shimLog = join(path, 'shim.log');
  }

  /** Makes the folder with all its files or not at all. */
  static create(
    path: string,
    files: { readonly plan: PodPlan; readonly token: string; readonly job?: unknown },
  ): PodFolder {
    const draft = new PodFolder(join(path, '..', `.new-${basename(path)}`));
    rmSync(draft.path, { recursive: true, force: true });
    mkdirSync(draft.workFolder, { recursive: true, mode: 0o700 });
    writeFileSync(draft.tokenFile, files.token, { mode: 0o600 });
    if (files.job !== undefined) writeFileSync(draft.jobFile, JSON.stringify(files.job, undefined, 2), { mode: 0o600 });
    writeFileSync(join(draft.path, 'plan.json'), JSON.stringify(files.plan), { mode: 0o600 });
    renameSync(draft.path, path);
    return new PodFolder(path);
  }

  plan(): PodPlan | undefined {
    const plan = readJson(join(this.path, 'plan.json'));
    return isPodPlan(plan) ? plan : undefined;
  }

  /** True for exactly one caller ever. */
  claim(by: ProcessIdentity): boolean {
    return claimFile(join(this.path, 'claim.json'), by);
  }

  claimant(): ProcessIdentity | undefined {
    return claimantOf(join(this.path, 'claim.json'));
  }

  status(): PodStatus {
    return readStatus(readJson(join(this.path, 'status.json')));
  }

  writeStatus(status: PodStatus): void {
    writeAtomically(join(this.path, 'status.json'), JSON.stringify(status));
  }

  get isSettled(): boolean {
    return existsSync(join(this.path, 'settled'));
  }

  settle(): void {
    writeFileSync(join(this.path, 'settled'), '', { mode: 0o600 });
  }

  stopOrder(): StopOrder | undefined {
    const order = readJson(join(this.path, 'stop.json'));
    if (!isRecord(order) || !isCount(order.graceMs)) return undefined;
    const why = STOP_REASONS.find((reason) => reason === order.why);
    return why === undefined ? undefined : { why, graceMs: order.graceMs };
  }

  writeStopOrder(order: StopOrder): void {
    writeAtomically(join(this.path, 'stop.json'), JSON.stringify(order));
  }
}

/** True for exactly one caller, also among processes: a link either is made or was there. */
export function claimFile(path: string, by: ProcessIdentity): boolean {
  const draft = `${path}.${by.pid}.new`;
  writeFileSync(draft, JSON.stringify(by), { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isRecord(error) && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

export function claimantOf(path: string): ProcessIdentity | undefined {
  const claim = readJson(path);
  return isIdentity(claim) ? claim : undefined;
}

/** The newest incarnation that was ever started of the workload whose fence this is; -1 before the first. */
export function readFence(path: string): number {
  const incarnation = readJson(path);
  return isCount(incarnation) ? incarnation : -1;
}

/** Writes beside the file and renames, so that a reader sees the old content or the new one. */
export function writeAtomically(path: string, content: string): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, path);
}

/** Undefined for a file that is not there, or is no JSON. */
export function readJson(path: string): unknown {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return value;
  } catch {
    return undefined;
  }
}

const NEW_POD: PodStatus = { phase: 'bound', cgroups: [] };

function readStatus(value: unknown): PodStatus {
  if (!isRecord(value)) return NEW_POD;
  const cgroups = Array.isArray(value.cgroups) ? value.cgroups.filter(isText) : [];
  if (value.phase === 'ended' && isCount(value.endedAtMs) && isEnd(value.end)) {
    return { phase: 'ended', hasStarted: value.hasStarted === true, endedAtMs: value.endedAtMs, end: value.end };
  }
  return value.phase === 'started' && isIdentity(value.group)
    ? { phase: 'started', cgroups, group: value.group }
    : { phase: 'bound', cgroups };
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isRecord(value) && isCount(value.pid) && typeof value.birth === 'string';
}

function isEnd(value: unknown): value is RecordedEnd {
  return (
    isRecord(value) && isText(value.outcome) && isText(value.blame) && isCount(value.exitCode) && isText(value.detail)
  );
}
