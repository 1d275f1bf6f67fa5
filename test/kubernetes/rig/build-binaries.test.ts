import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, utimesSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../../support/observation-log.js';
import { ScratchCheckout, type Ended } from '../../support/scratch-checkout.js';
import { MODULES, rigKey } from './binaries.mjs';

const BUILD = 'test/kubernetes/rig/build-binaries.mjs';
const PROGRAMS = MODULES.flatMap(({ programs }) => programs).sort();

/** Writes what it was asked into its programs, and can be told to be old, to fail, or never to end. */
const GO = `#!${process.execPath}
const { appendFileSync, writeFileSync } = require('node:fs');
const { FAKE_GO_SAYS, FAKE_GO_STICKS, FAKE_GO_VERSION = 'go1.26.8', FAKE_GO_LOG } = process.env;
const [verb, ...args] = process.argv.slice(2);
if (verb === 'env') { console.log(FAKE_GO_VERSION); process.exit(0); }
appendFileSync(FAKE_GO_LOG, process.env.GOFLAGS + '\\n');
const output = args[args.indexOf('-o') + 1];
for (const name of args.filter((arg) => /^k8s.io.kubernetes.cmd./.test(arg)))
  writeFileSync(output + name.split('/').at(-1), args.join(' '));
if (!output.endsWith('/')) writeFileSync(output, args.join(' '));
if (FAKE_GO_STICKS) setInterval(() => {}, 1000);
if (FAKE_GO_SAYS) { console.error('go: downloading x v1\\n' + FAKE_GO_SAYS); process.exit(1); }
`;

describe('npm run rig:build', () => {
  let checkout: ScratchCheckout;
  const cache = (): string => checkout.path('cache', 'berth', 'rig');
  const inCache = (): readonly string[] => (existsSync(cache()) ? readdirSync(cache()).sort() : []);
  const environment = (): Record<string, string> => ({
    PATH: [checkout.path('go'), process.env['PATH']].join(delimiter),
    XDG_CACHE_HOME: checkout.path('cache'),
    FAKE_GO_LOG: checkout.path('go.log'),
  });
  const build = (env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    checkout.run([BUILD], { ...environment(), ...env });
  const goRuns = (): number => readFileSync(checkout.path('go.log'), 'utf8').trim().split('\n').length;

  beforeEach(() => {
    checkout = new ScratchCheckout().copy('src/launcher', 'test/kubernetes/rig').write({ 'go/go': GO });
    checkout.write({ 'package.json': '{"type":"module"}', 'go/package.json': '{"type":"commonjs"}' });
    chmodSync(checkout.path('go/go'), 0o755);
  });
  afterEach(() => {
    checkout.remove();
  });

  it('builds all programs once, under a key of their sources', async () => {
    const first = await build();
    expect(first.stderr).toContain(`building ${MODULES[0]?.name ?? ''} v`);
    expect(first.code).toBe(0);
    expect(inCache()).toEqual([rigKey()]);
    expect(readdirSync(join(cache(), rigKey())).sort()).toEqual(PROGRAMS);
    expect((await build()).stderr).toContain('the rig is built');
    expect(goRuns()).toBe(MODULES.length);
  });

  it('stamps the versions that go.mod pins', async () => {
    await build();
    const kubectl = readFileSync(join(cache(), rigKey(), 'kubectl'), 'utf8');
    expect(kubectl).toMatch(/k8s\.io\/component-base\/version\.gitVersion=v1\.\d+\.\d+ /);
    expect(kubectl).not.toContain('undefined');
  });

  it('builds anew when a source changes, and then removes builds that nobody used for a day', async () => {
    await build();
    const yesterday = Date.now() / 1000 - 25 * 3600;
    utimesSync(join(cache(), rigKey()), yesterday, yesterday);
    mkdirSync(join(cache(), 'of-another-checkout'));
    const sums = readFileSync(checkout.path('test/kubernetes/rig/modules/kwok/go.sum'), 'utf8');
    checkout.write({ 'test/kubernetes/rig/modules/kwok/go.sum': `${sums}changed` });

    expect((await build({ FAKE_GO_SAYS: 'broken' })).code).toBe(1);
    expect(inCache()).toContain(rigKey());
    expect((await build()).code).toBe(0);
    expect(inCache()).toHaveLength(2);
    expect(inCache()).not.toContain(rigKey());
  });

  it('leaves nothing half when it is interrupted', async () => {
    const child = spawn(process.execPath, [BUILD], {
      cwd: checkout.folder,
      env: { ...process.env, ...environment(), FAKE_GO_STICKS: '1' },
    });
    await until('the first program', () => existsSync(checkout.path('go.log')));
    expect(inCache()).toEqual([expect.stringMatching(`^${rigKey()}\\.building-`)]);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([143, null]);
    expect(inCache()).toEqual([]);
  });

  it('may happen twice at once', async () => {
    const both = await Promise.all([build(), build()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(inCache()).toEqual([rigKey()]);
  });

  it.each([
    ['Go is too old', { FAKE_GO_VERSION: 'go1.24.1' }, 'The rig needs Go 1.26 or newer, and this is go1.24.1.'],
    ['there is no Go', { PATH: '/nowhere' }, 'The rig is built by Go. Install Go from https://go.dev/dl'],
    ['there is no network', { FAKE_GO_SAYS: 'dial tcp: no route' }, 'Cannot reach the Go module proxy: check'],
    ['the disk is full', { FAKE_GO_SAYS: 'x: no space left on device' }, 'The disk is full: the build needs'],
    ['something else is wrong', { FAKE_GO_SAYS: 'missing go.sum entry' }, 'does not build. Go: missing go.sum entry'],
  ])('says in one line that %s', async (_what, env, says) => {
    const { code, stderr } = await build(env);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toContain(says);
    expect(inCache()).toEqual([]);
  });
});
