import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { until } from '../../../test/support/observation-log.js';
import { aPodPlan } from '../../../test/support/pod-plans.js';
import { itOnASmallDisk, withSmallDisk } from '../../../test/support/small-disk.js';
import { LocalPod } from './local-pod.js';
import { PodFolder } from './pod-folder.js';

const DISK_BYTES = 2 ** 20;

describe(LocalPod.name, () => {
  itOnASmallDisk('whose end cannot be recorded on a full disk is ended by a later sweep', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'berth-pod-'));
    await withSmallDisk(disk, async () => {
      const pod = podOfADeadShim(disk);
      const ballast = join(disk, 'ballast');
      expect(() => {
        writeFileSync(ballast, Buffer.alloc(DISK_BYTES));
      }).toThrow('ENOSPC');
      pod.sweep('silent');
      await expect(pod.endByForce({ outcome: 'lost', blame: 'node', detail: 'joins the sweep' })).rejects.toThrow(
        'ENOSPC',
      );
      rmSync(ballast);
      pod.sweep('silent');
      await until('the end', () => pod.hasEnded);
      expect(pod.seen()).toMatchObject({ state: 'ended', end: { outcome: 'lost' } });
    });
    rmSync(disk, { recursive: true });
  });
});

function podOfADeadShim(disk: string): LocalPod {
  const plan = aPodPlan('w1', { socket: join(disk, 'driver.sock'), fence: join(disk, 'fence') });
  mkdirSync(join(disk, 'pods'));
  const folder = PodFolder.create(join(disk, 'pods', plan.name), { plan, token: 't' });
  folder.claim({ pid: process.pid, birth: 'long ago' });
  return new LocalPod(folder, plan, () => undefined);
}
