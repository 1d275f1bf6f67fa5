import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endAllRecorded, hasDied, recordProcess, recordedPid } from './recorded-process.mjs';

describe('the record of a process', () => {
  let folder: string;
  const children: ChildProcess[] = [];
  const record = (): string => join(folder, 'sleeper.pid');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-records-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function startSleeper(): Promise<ChildProcess & { readonly pid: number }> {
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    return child as ChildProcess & { readonly pid: number };
  }

  it('finds the process while it runs, and knows that it died', async () => {
    const child = await startSleeper();
    recordProcess(record(), child.pid);
    expect(recordedPid(record())).toBe(child.pid);
    expect(hasDied(record())).toBe(false);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    expect(recordedPid(record())).toBeUndefined();
    expect(hasDied(record())).toBe(true);
  });

  it('ends the process, frozen or not, and is gone then', async () => {
    const child = await startSleeper();
    recordProcess(record(), child.pid);
    const gone = once(child, 'exit');
    child.kill('SIGSTOP');
    await endAllRecorded(folder);
    expect(await gone).toEqual([null, 'SIGKILL']);
    expect(existsSync(record())).toBe(false);
    expect(hasDied(record())).toBe(false);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('leaves alone who got the number of a process that has ended', async () => {
    const { pid } = await startSleeper();
    recordProcess(record(), pid);
    const [, start = ''] = readFileSync(record(), 'utf8').split(' ');
    writeFileSync(record(), `${pid} ${Number(start) - 1}`);
    expect(recordedPid(record())).toBeUndefined();
    await endAllRecorded(folder);
    expect(process.kill(pid, 0)).toBe(true);
  });

  it('is nothing to end where there is no folder', async () => {
    await expect(endAllRecorded(join(folder, 'nothing'))).resolves.toBeUndefined();
  });
});
