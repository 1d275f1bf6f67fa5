import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DirectoryClaim } from './directory-claim.js';
import { LocalPaths } from './local-paths.js';
import { identifyProcess } from './process-identity.js';

describe(DirectoryClaim.name, () => {
  let paths: LocalPaths;

  beforeEach(() => {
    paths = new LocalPaths(mkdtempSync(join(tmpdir(), 'berth-claim-')));
  });

  afterEach(() => {
    rmSync(paths.root, { recursive: true, force: true });
  });

  it('goes to one of those who ask at once', async () => {
    const asked = await Promise.allSettled([1, 2, 3].map(() => DirectoryClaim.take(paths)));
    expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  it('can be given back', async () => {
    (await DirectoryClaim.take(paths)).release();
    await expect(DirectoryClaim.take(paths)).resolves.toBeInstanceOf(DirectoryClaim);
  });

  it('is taken over from a process that died, also one whose pid is used again', async () => {
    const dead = { pid: process.pid, birth: 'long ago' };
    writeFileSync(join(paths.root, 'driver.claim.7'), JSON.stringify(dead));
    await DirectoryClaim.take(paths);
    expect(claims()).toEqual(['driver.claim.8']);
  });

  it('stays with a process that lives', async () => {
    writeFileSync(join(paths.root, 'driver.claim.7'), JSON.stringify(identifyProcess(process.ppid)));
    await expect(DirectoryClaim.take(paths)).rejects.toThrow('another server runs the pods');
    expect(claims()).toEqual(['driver.claim.7']);
  });

  function claims(): readonly string[] {
    return readdirSync(paths.root).filter((name) => name.startsWith('driver.claim'));
  }
});
