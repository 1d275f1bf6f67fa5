import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { identifyProcess, isAlive, killProcess } from './process-identity.js';

describe('the identity of a process', () => {
  it('is the same while the process lives', () => {
    const self = identifyProcess(process.pid);
    expect(self).toEqual(identifyProcess(process.pid));
    expect(self !== undefined && isAlive(self)).toBe(true);
  });

  it('is not that of another process with the same pid', () => {
    const impostor = { pid: process.pid, birth: 'long-ago/1' };
    expect(isAlive(impostor)).toBe(false);
    expect(killProcess(impostor, 'process')).toBe(false);
  });

  it('ends with the process', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    const ended = once(child, 'exit');
    const identity = identifyProcess(child.pid ?? 0);
    if (identity === undefined) throw new Error('a child that runs has an identity');
    expect(killProcess(identity, 'group')).toBe(true);
    await ended;
    expect(isAlive(identity)).toBe(false);
  });
});
