import { readdirSync, rmSync } from 'node:fs';
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
      rmSync(folder.path, { recursive: true, force: true });
    }
  }
  return stored;
}

/** Removes ended pods that are too old or too many, oldest first, and the fences of workloads without pods. */
export function purgePods(
  pods: Map<string, LocalPod>,
  paths: LocalPaths,
  limits: Pick<LocalLimits, 'endedPodsMax' | 'endedPodsKeptMs'> & { readonly nowMs?: number },
): void {
  const nowMs = limits.nowMs ?? Date.now();
  const ended = [...pods.values()]
    .flatMap((pod) => (pod.endedAtMs === undefined ? [] : [{ pod, endedAtMs: pod.endedAtMs }]))
    .sort((a, b) => b.endedAtMs - a.endedAtMs);
  for (const [index, { pod, endedAtMs }] of ended.entries()) {
    if (index < limits.endedPodsMax && nowMs - endedAtMs <= limits.endedPodsKeptMs) continue;
    rmSync(pod.folder.path, { recursive: true, force: true });
    pods.delete(pod.plan.name);
  }
  const guarded = new Set([...pods.values()].map(({ plan }) => basename(plan.fence)));
  for (const name of readdirSync(paths.fences)) {
    if (!guarded.has(name)) rmSync(paths.fence(name), { force: true });
  }
}
