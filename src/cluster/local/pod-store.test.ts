import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aPodPlan } from '../../../test/support/pod-plans.js';
import { itOnASmallDisk, withSmallDisk } from '../../../test/support/small-disk.js';
import { LocalPaths } from './local-paths.js';
import { LocalPod } from './local-pod.js';
import { PodFolder } from './pod-folder.js';
import { findPods, purgePods } from './pod-store.js';

const MINUTE_MS = 60_000;

describe('the pods on disk', () => {
  let paths: LocalPaths;

  beforeEach(() => {
    paths = new LocalPaths(mkdtempSync(join(tmpdir(), 'berth-store-')));
    for (const folder of [paths.pods, paths.fences]) mkdirSync(folder);
  });

  afterEach(() => {
    rmSync(paths.root, { recursive: true, force: true });
  });

  function keep(workload: string, endedAtMs: number | undefined, isNoted = true): [string, LocalPod] {
    const plan = aPodPlan(workload, { socket: paths.socket, fence: paths.fence(workload) });
    writeFileSync(plan.fence, '1');
    const folder = PodFolder.create(paths.pod(plan.name), { plan, token: 't' });
    const end = { outcome: 'succeeded', blame: 'workload', exitCode: 0, detail: 'done' } as const;
    if (endedAtMs !== undefined) folder.writeStatus({ phase: 'ended', hasStarted: true, endedAtMs, end });
    const pod = new LocalPod(folder, plan, () => undefined);
    if (endedAtMs !== undefined && isNoted) pod.settle();
    return [plan.name, pod];
  }

  it('are found as they were written', async () => {
    keep('w1', undefined);
    const [found, ...more] = await findPods(paths);
    expect(more).toEqual([]);
    expect(found?.plan).toMatchObject({ name: 'w1-1-worker-0', pod: { workload: 'w1' } });
  });

  it('go when they have ended long ago, or are too many; running ones stay', () => {
    const nowMs = 100 * MINUTE_MS;
    const pods = new Map([
      keep('running', undefined),
      keep('old', nowMs - 11 * MINUTE_MS),
      keep('first', nowMs - 3 * MINUTE_MS),
      keep('second', nowMs - 2 * MINUTE_MS),
      keep('third', nowMs - MINUTE_MS),
    ]);
    purgePods(pods, paths, { endedPodsMax: 2, endedPodsKeptMs: 10 * MINUTE_MS, nowMs });
    const left = ['running', 'second', 'third'];
    expect([...pods.keys()].sort()).toEqual(left.map((workload) => `${workload}-1-worker-0`));
    expect(readdirSync(paths.pods).sort()).toEqual([...pods.keys()].sort());
    expect(readdirSync(paths.fences).sort()).toEqual(left);
  });

  it('stay, however old, while nobody has noted their end', () => {
    const pods = new Map([keep('old', 0, false)]);
    purgePods(pods, paths, { endedPodsMax: 0, endedPodsKeptMs: 0 });
    expect([...pods.keys()]).toEqual(readdirSync(paths.pods));
    expect(pods.size).toBe(1);
  });

  it('go also when they closed folders to their own user', () => {
    const [name, pod] = keep('closed', 0);
    const closed = join(pod.folder.workFolder, 'closed');
    mkdirSync(join(closed, 'within'), { recursive: true });
    chmodSync(closed, 0o000);
    purgePods(new Map([[name, pod]]), paths, { endedPodsMax: 0, endedPodsKeptMs: 0 });
    expect(readdirSync(paths.pods)).toEqual([]);
  });

  itOnASmallDisk('that cannot be removed yet keep nobody, and go later', async () => {
    const pods = new Map([keep('other', 0)]);
    const limits = { endedPodsMax: 0, endedPodsKeptMs: 0 };
    await withSmallDisk(join(paths.pods, '.purged-busy', 'disk'), () => {
      purgePods(pods, paths, limits);
      expect(readdirSync(paths.pods)).toEqual(['.purged-busy']);
      return Promise.resolve();
    });
    purgePods(pods, paths, limits);
    expect(readdirSync(paths.pods)).toEqual([]);
  });

  it('are claimed by one process only', () => {
    const [, pod] = keep('w1', undefined);
    expect(pod.folder.claim({ pid: 1, birth: 'a' })).toBe(true);
    expect(pod.folder.claim({ pid: 2, birth: 'b' })).toBe(false);
    expect(pod.folder.claimant()).toEqual({ pid: 1, birth: 'a' });
  });
});
