import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, realpathSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { launcherCheckout, npmScript } from '../support/launcher-checkout.js';
import { type ScratchCheckout, runNode } from '../support/scratch-checkout.js';

describe('the launcher', () => {
  let checkout: ScratchCheckout;
  const folder = (): string => realpathSync(checkout.folder);

  beforeAll(() => {
    checkout = launcherCheckout();
    mkdirSync(checkout.path('jobs'));
  });
  afterAll(() => {
    checkout.remove();
  });

  it('turns npm start into berth up', async () => {
    const { stdout, code } = await checkout.run(['src/launcher/launch.mjs', 'start', '--once', '0']);
    expect({ ...JSON.parse(stdout), code }).toEqual({ args: ['up', '--once', '0'], folder: folder(), code: 0 });
  });

  it.each([0, 2, 64])('passes on exit code %d', async (code) => {
    expect((await checkout.run(['src/launcher/berth.mjs', 'apply', String(code)])).code).toBe(code);
  });

  it('hands a signal to the command, and waits for it to stop by itself', async () => {
    const child = spawn(process.execPath, ['src/launcher/launch.mjs', 'start'], { cwd: checkout.folder });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      // The handler of the signal is in place once the command has said how it was started.
      if (printed === '') child.kill('SIGTERM');
      printed += chunk;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    expect(printed).toContain('stopped');
    expect(code).toBe(0);
  });

  // npm needs a cache folder of its own to link the checkout into.
  const npm = (args: readonly string[], cwd: string): ReturnType<typeof runNode> =>
    runNode([npmScript(), ...args], { cwd, env: { npm_config_cache: checkout.path('npm-cache'), INIT_CWD: cwd } });

  it('is found by npx anywhere in the checkout, and stays in the folder where it was typed', async () => {
    const { stdout, code } = await npm(['exec', 'berth', 'apply', '2'], checkout.path('jobs'));
    expect({ ...JSON.parse(stdout), code }).toEqual({ args: ['apply', '2'], folder: `${folder()}/jobs`, code: 2 });
  });

  it('is found by npm run, which keeps flags after two dashes, and stays where it was typed', async () => {
    const { stdout, code } = await npm(['run', '-s', 'berth', '--', 'get', '0', '--json'], checkout.path('jobs'));
    expect({ ...JSON.parse(stdout), code }).toEqual({
      args: ['get', '0', '--json'],
      folder: `${folder()}/jobs`,
      code: 0,
    });
  });

  it('says in one line that Node is too old, before it loads anything else', async () => {
    checkout.write({
      'old-node.cjs': `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '12.22.12' } });`,
      'src/launcher/commands.mjs': 'syntax that no Node can parse',
    });
    const { code, stderr, stdout } = await checkout.run([
      '--require',
      './old-node.cjs',
      'src/launcher/launch.mjs',
      'start',
    ]);
    expect({ code, stderr, stdout }).toEqual({
      code: 1,
      stderr: 'berth: Node 12.22.12 is too old: Berth needs 20.19.0 or newer, see https://nodejs.org.\n',
      stdout: '',
    });
  });
});
