import { chmodSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { LocalLimits } from './local-limits.js';
import type { LocalPaths } from './local-paths.js';
import type { LocalPod } from './local-pod.js';
import { PodFolder } from './pod-folder.js';
import type { PodPlan } from './pod-plan.js';
import { killPodProcesses } from './pod-processes.js';

export interface StoredPod {
  readonly folder: PodFolder;
  readonly plan: PodPlan;
}

/** All pods on disk, in the order of their names. Drafts and folders that nobody can read are removed. */
export async function findPods(paths: LocalPaths): Promise<readonly StoredPod[]> {
  const stored: StoredPod[] = [];
  for (const name of readdirSync(paths.pods).sort()) {
    const folder = new PodFolder(join(paths.pods, name));
    const plan = folder.plan();
    if (plan !== undefined && plan.name === name) stored.push({ folder, plan });
    else {
      await killPodProcesses({ folder: folder.path, cgroups: [] });
      discard(folder.path);
    }
  }
  return stored;
}

/** What is purged gets a name that is no pod's first: half a folder must never be taken for a pod. */
const PURGED = '.purged-';

/**
 * Removes pods of whose end the ledger knows and that are too old or too many, oldest first, and the fences of workloads
 * without pods. What cannot be removed now is tried again by the next call.
 */
export function purgePods(
  pods: Map<string, LocalPod>,
  paths: LocalPaths,
  limits: Pick<LocalLimits, 'endedPodsMax' | 'endedPodsKeptMs'> & { readonly nowMs?: number },
): void {
  const nowMs = limits.nowMs ?? Date.now();
  const ended = [...pods.values()]
    .flatMap((pod) => (pod.isSettled ? [{ pod, endedAtMs: pod.endedAtMs ?? 0 }] : []))
    .sort((a, b) => b.endedAtMs - a.endedAtMs);
  for (const [index, { pod, endedAtMs }] of ended.entries()) {
    if (index < limits.endedPodsMax && nowMs - endedAtMs <= limits.endedPodsKeptMs) continue;
    renameSync(pod.folder.path, paths.pod(`${PURGED}${pod.plan.name}`));
    pods.delete(pod.plan.name);
  }
  for (const name of readdirSync(paths.pods)) if (name.startsWith(PURGED)) discard(paths.pod(name));
  const guarded = new Set([...pods.values()].map(({ plan }) => basename(plan.fence)));
  for (const name of readdirSync(paths.fences)) {
    if (!guarded.has(name)) rmSync(paths.fence(name), { force: true });
  }
}

/** Never throws: a pod may leave folders that it closed to its own user, or things that nobody but root can remove. */
function discard(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) openUp(path);
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    process.emitWarning(`${path} cannot be removed yet: ${String(error)}`);
  }
}

function openUp(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openUp(join(folder, entry.name));
  }
}
