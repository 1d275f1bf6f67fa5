import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How the benchmark ends with these arguments, and what it says of them. */
function endOf(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const hooks = new URL('../../src/launcher/register-typescript.mjs', import.meta.url).href;
  const file = fileURLToPath(new URL('core.bench.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ['--import', hooks, file, ...args], { encoding: 'utf8' });
  return { status, said: stderr };
}

describe('the benchmark of the core', () => {
  it('says which cases there are when asked for another', () => {
    const { status, said } = endOf('--only', 'nonsense');
    expect(status).toBe(2);
    expect(said).toMatch(/^No case nonsense; there are gangs, .*, memory\n$/);
  });

  it('names an unknown option, without a stack', () => {
    const { status, said } = endOf('--onyl', 'gangs');
    expect(status).toBe(2);
    expect(said).toMatch(/^Unknown option '--onyl'.*\n$/);
  });
});
