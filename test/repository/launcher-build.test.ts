import { existsSync, readFileSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { launcherCheckout, linkPackage } from '../support/launcher-checkout.js';
import type { Ended, ScratchCheckout } from '../support/scratch-checkout.js';
import { itOnASmallDisk, withSmallDisk } from '../support/small-disk.js';

describe('the build of the launcher', () => {
  let checkout: ScratchCheckout;
  const build = (): Promise<Ended> => checkout.run(['src/launcher/launch.mjs', 'build']);
  const output = (path: string): string => readFileSync(checkout.path('dist', path), 'utf8');

  beforeEach(async () => {
    checkout = launcherCheckout().write({
      'src/core/quota.ts': 'export const quota: number = 1;',
      'src/core/quota.test.ts': 'throw new Error();',
      'src/server/catalogue.json': '{"a": 1}',
    });
    expect(await build()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });
  afterEach(() => {
    checkout.remove();
  });

  it('compiles sources, copies data, and leaves tests and the launcher out', () => {
    expect(output('core/quota.js')).toContain('const quota = 1');
    expect(JSON.parse(output('core/quota.js.map'))).toMatchObject({ sources: ['../../src/core/quota.ts'] });
    expect(output('server/catalogue.json')).toBe('{"a": 1}');
    expect(existsSync(checkout.path('dist/core/quota.test.js'))).toBe(false);
    expect(existsSync(checkout.path('dist/launcher'))).toBe(false);
  });

  it('compiles again what changed, and nothing else', async () => {
    const untouched = statSync(checkout.path('dist/cli/main.js')).mtimeMs;
    checkout.write({ 'src/core/quota.ts': 'export const quota: number = 22;' });
    await build();
    expect(output('core/quota.js')).toContain('const quota = 22');
    expect(statSync(checkout.path('dist/cli/main.js')).mtimeMs).toBe(untouched);
  });

  it('compiles everything again when the settings of the compiler change', async () => {
    checkout.write({ '.swcrc': readFileSync(checkout.path('.swcrc'), 'utf8').replace('"es6"', '"commonjs"') });
    await build();
    expect(output('core/quota.js')).toContain('exports');
  });

  it('removes the output of a source that is gone', async () => {
    rmSync(checkout.path('src/core/quota.ts'));
    await build();
    expect(existsSync(checkout.path('dist/core/quota.js'))).toBe(false);
    expect(existsSync(checkout.path('dist/core/quota.js.map'))).toBe(false);
  });

  it('makes an output again that was deleted', async () => {
    rmSync(checkout.path('dist/core/quota.js'));
    await build();
    expect(existsSync(checkout.path('dist/core/quota.js'))).toBe(true);
  });

  it('names the file and the place of a syntax error, keeps the old output, and tries again', async () => {
    checkout.write({ 'src/core/quota.ts': 'export const quota: = 3;' });
    for (const attempt of ['first', 'second']) {
      const { code, stderr } = await build();
      expect({ attempt, code }).toEqual({ attempt, code: 1 });
      expect(stderr).toMatch(/^berth: The sources do not compile:\n/);
      expect(stderr).toContain('src/core/quota.ts:1:');
      expect(stderr).not.toContain('    at ');
    }
    expect(output('core/quota.js')).toContain('const quota = 1');
  });

  itOnASmallDisk('says in one line that the disk is full, and goes on when there is room again', async () => {
    rmSync(checkout.path('dist'), { recursive: true });
    checkout.write({ 'src/core/quota.ts': `export const quota = '${'x'.repeat(2_000_000)}';` });
    await withSmallDisk(checkout.path('dist'), async () => {
      const { code, stderr } = await build();
      expect(code).toBe(1);
      expect(stderr).toBe(
        `berth: The disk is full (ENOSPC) at ${realpathSync(checkout.folder)}: free about 1 GB there, then run the same command again.\n`,
      );
    });
    expect((await build()).code).toBe(0);
  });

  it('says in one line that it may not write', async () => {
    // A file in the place of its folder refuses everybody, also whoever is root.
    rmSync(checkout.path('.berth'), { recursive: true });
    checkout.write({ '.berth': '', 'src/core/quota.ts': 'export const quota: number = 5;' });
    const { code, stderr } = await build();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^berth: \S+\.berth may not be written \(EEXIST\): .*\n$/);
  });

  it('takes over the lock of a launcher that was killed', async () => {
    checkout.write({
      '.berth/setup.lock': '999999999 1',
      'src/core/quota.ts': 'export const quota: number = 4;',
    });
    expect((await build()).code).toBe(0);
    expect(output('core/quota.js')).toContain('const quota = 4');
    expect(existsSync(checkout.path('.berth/setup.lock'))).toBe(false);
  });

  describe('with a dashboard', () => {
    const page = (text: string): Record<string, string> => ({
      'src/dashboard/index.html': '<!doctype html><script type="module" src="./main.ts"></script>',
      'src/dashboard/main.ts': `document.title = ${text};`,
    });
    const title = (): string => {
      const [script = ''] = readdirSync(checkout.path('dist/dashboard/assets'));
      return output(`dashboard/assets/${script}`);
    };

    it('builds it, again only when it changed, and keeps the old one when it does not build', async () => {
      linkPackage(checkout, 'vite');
      checkout.write(page('`first`'));
      expect((await build()).stderr).toContain('dashboard built');
      expect(title()).toContain('first');
      expect((await build()).stderr).toBe('');

      checkout.write(page('`second ${'));
      const { code, stderr } = await build();
      expect(code).toBe(1);
      expect(stderr).toContain('berth: The dashboard does not build:');
      expect(title()).toContain('first');

      checkout.write(page('`third`'));
      expect((await build()).code).toBe(0);
      expect(title()).toContain('third');
      expect(existsSync(checkout.path('dist/cli/main.js'))).toBe(true);
    });
  });
});
