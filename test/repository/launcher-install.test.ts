import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { checkoutToInstall, npmScript, packageInArchive } from '../support/launcher-checkout.js';
import { freePort } from '../support/free-port.js';
import { type Ended, ScratchCheckout } from '../support/scratch-checkout.js';
import { itOnASmallDisk, withSmallDisk } from '../support/small-disk.js';

const PROXY_VARIABLES = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'PROXY', 'proxy'],
  ...['npm_config_proxy', 'npm_config_https_proxy', 'npm_config_noproxy'],
];

const ON_A_REGISTRY = { name: 'is-not-there', from: '1.0.0', integrity: 'sha512-AAAA' };

describe('the installation by the launcher', () => {
  const made: ScratchCheckout[] = [];
  const keep = (checkout: ScratchCheckout): ScratchCheckout => {
    made.push(checkout);
    return checkout;
  };
  afterEach(() => {
    for (const checkout of made.splice(0)) checkout.remove();
  });

  const setUp = (checkout: ScratchCheckout, env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    checkout.run(['src/launcher/launch.mjs', 'build'], {
      npm_config_cache: checkout.path('npm-cache'),
      npm_config_fetch_retries: '0',
      // As on a machine that needs no proxy, whatever this one does.
      ...Object.fromEntries(PROXY_VARIABLES.map((name) => [name, ''])),
      ...env,
    });

  function withCargo(bytes = 10): ScratchCheckout {
    const warehouse = keep(new ScratchCheckout());
    return keep(checkoutToInstall(packageInArchive(warehouse, bytes)));
  }

  /** The real npm, behind a script that writes down each run. */
  function countedNpm(checkout: ScratchCheckout): { readonly path: string; readonly runs: () => number } {
    checkout.write({
      'counted/npm-cli.js': `
        require('node:fs').appendFileSync(${JSON.stringify(checkout.path('runs.log'))}, 'npm ci\\n');
        require(${JSON.stringify(npmScript())});`,
      'counted/package.json': '{"type":"commonjs"}',
    });
    const log = checkout.path('runs.log');
    const runs = (): number => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0);
    return { path: checkout.path('counted/npm-cli.js'), runs };
  }

  it('happens once, and again only when something is missing', async () => {
    const checkout = withCargo();
    const npm = countedNpm(checkout);
    const env = { npm_execpath: npm.path };
    expect((await setUp(checkout, env)).stderr).toContain('dependencies installed');
    expect(existsSync(checkout.path('node_modules/cargo/freight.txt'))).toBe(true);
    await setUp(checkout, env);
    expect(npm.runs()).toBe(1);

    rmSync(checkout.path('node_modules/cargo'), { recursive: true });
    await setUp(checkout, env);
    expect(npm.runs()).toBe(2);

    rmSync(checkout.path('node_modules/.package-lock.json')); // as after an install that was cut short
    await setUp(checkout, env);
    expect(npm.runs()).toBe(3);
    expect(existsSync(checkout.path('node_modules/cargo/freight.txt'))).toBe(true);
  });

  it('happens once when two launchers start together', async () => {
    const checkout = withCargo();
    const npm = countedNpm(checkout);
    const both = await Promise.all([1, 2].map(() => setUp(checkout, { npm_execpath: npm.path })));
    expect(npm.runs()).toBe(1);
    expect(both.map(({ stderr }) => /waiting for process|installed/.test(stderr))).toEqual([true, true]);
  });

  it('ends with npm and the code of the signal when it is interrupted, and is done by the next launcher', async () => {
    const checkout = withCargo().write({
      'slow/npm-cli.js': `console.log('started'); require('node:fs').writeFileSync('npm.pid', String(process.pid)); setInterval(() => {}, 1000);`,
      'slow/package.json': '{"type":"commonjs"}',
    });
    const env = { ...process.env, npm_execpath: checkout.path('slow/npm-cli.js') };
    const launcher = spawn(process.execPath, ['src/launcher/launch.mjs', 'build'], { cwd: checkout.folder, env });
    let stderr = '';
    launcher.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const pid = await readPid(checkout.path('npm.pid'));
    launcher.kill('SIGTERM');
    const [code] = (await once(launcher, 'close')) as [number | null];
    expect(code).toBe(143);
    expect(stderr).not.toContain('Error');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');

    expect((await setUp(checkout)).stderr).toContain('dependencies installed');
  });

  it('says in one line that there is no network', async () => {
    const checkout = keep(checkoutToInstall(ON_A_REGISTRY));
    const registry = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr, stdout } = await setUp(checkout, { npm_config_registry: registry });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      'berth: installing dependencies (first time: about a minute)',
      'berth: Cannot reach the npm registry (ECONNREFUSED), and the dependencies are not installed yet: check the ' +
        'network, or the proxy and registry in `npm config list`, then run the same command again.',
    ]);
  });

  it('says in one line that a name cannot be looked up', async () => {
    const checkout = keep(checkoutToInstall(ON_A_REGISTRY));
    const { code, stderr } = await setUp(checkout, { npm_config_registry: 'http://packages.invalid' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/berth: Cannot reach the npm registry \((ENOTFOUND|EAI_AGAIN)\)/);
  });

  it('says in one line that the lockfile does not fit', async () => {
    const checkout = withCargo().write({ 'other/package.json': '{"name": "other", "version": "1.0.0"}' });
    const manifest = JSON.parse(readFileSync(checkout.path('package.json'), 'utf8')) as Record<string, unknown>;
    checkout.write({
      'package.json': JSON.stringify({ ...manifest, dependencies: { other: `file:${checkout.path('other')}` } }),
    });
    const { code, stderr } = await setUp(checkout);
    expect(code).toBe(1);
    expect(stderr).toContain('berth: package-lock.json does not fit package.json: run `npm install`');
  });

  itOnASmallDisk('says in one line that the disk is full', async () => {
    const warehouse = keep(new ScratchCheckout());
    const checkout = keep(checkoutToInstall(packageInArchive(warehouse, 4_000_000)));
    await withSmallDisk(checkout.path('node_modules'), async () => {
      const { code, stderr } = await setUp(checkout, { npm_config_cache: warehouse.path('npm-cache') });
      expect(code).toBe(1);
      expect(stderr.trim().split('\n').at(-1)).toBe(
        `berth: The disk is full (ENOSPC) at ${checkout.folder}: free about 1 GB there, then run the same command again.`,
      );
    });
  });
});

async function readPid(file: string): Promise<number> {
  const deadlineMs = Date.now() + 60_000;
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') {
    if (Date.now() > deadlineMs) throw new Error(`${file} was never written`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return Number(readFileSync(file, 'utf8'));
}
