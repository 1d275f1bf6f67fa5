import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from '@jest/globals';

/** A test of a full disk needs root, to mount a small one. */
export const itOnASmallDisk = canMount() ? it : it.skip;

/** Runs `work` while a disk of 1 MB is mounted at `folder`. */
export async function withSmallDisk(folder: string, work: () => Promise<void>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  if (!isMounted(folder)) throw new Error(`no disk could be mounted at ${folder}`);
  try {
    await work();
  } finally {
    spawnSync('umount', [folder]);
  }
}

function isMounted(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'berth-disk-'));
  const can = isMounted(folder);
  if (can) spawnSync('umount', [folder]);
  rmdirSync(folder);
  if (!can) process.stderr.write('The tests of a full disk are skipped: they need root, to mount a small disk.\n');
  return can;
}
