import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { until } from '../../support/observation-log.js';
import { processesBelow } from '../../support/running-processes.js';
import { CHECKOUT, runNode, type Ended } from '../../support/scratch-checkout.js';
import { describeWithRig } from './describe-with-rig.js';
import { Kubectl } from './kubectl.js';

/** As the launcher runs it. */
const MAIN = ['--import', './src/launcher/register-typescript.mjs', 'test/kubernetes/rig/main.ts'];

const PLAY_MS_MAX = 120_000;

describeWithRig('the rig from the command line', () => {
  let home: string;
  const state = (): string => join(home, 'berth', 'rig');
  const rig = (...args: readonly string[]): Promise<Ended> =>
    runNode([...MAIN, ...args], { cwd: CHECKOUT, env: { XDG_STATE_HOME: home } });

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'berth-rig-'));
  });
  afterEach(async () => {
    await rig('down');
    rmSync(home, { recursive: true });
  });

  it('comes up once, stays, and goes down whole', async () => {
    const { code, stdout } = await rig('up', '--racks', '1', '--nodes-per-rack', '2', '--scheduler');
    expect(code).toBe(0);
    const kubeconfig = /^KUBECONFIG=(.+)$/m.exec(stdout)?.[1] ?? '';
    const nodes = await new Kubectl(kubeconfig).run(['get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toEqual(['node/gpu-0-0', 'node/gpu-0-1']);
    const pod = ['run', 'pod', '--image=none', '--restart=Never'];
    await new Kubectl(kubeconfig).run(pod);
    await new Kubectl(kubeconfig).run(['wait', 'pod/pod', '--for=condition=Ready', '--timeout=60s']);

    const again = await rig('up');
    expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('npm run rig:down') });

    expect(await rig('down')).toMatchObject({ code: 0, stdout: 'The rig is down.\n' });
    expect(processesBelow(state())).toEqual([]);
    expect(existsSync(state())).toBe(false);
    expect(await rig('down')).toMatchObject({ code: 0, stdout: 'The rig is not up.\n' });
  });

  it('leaves nothing running when it is interrupted while it starts', async () => {
    const env = { ...process.env, XDG_STATE_HOME: home };
    const child = spawn(process.execPath, [...MAIN, 'up'], { cwd: CHECKOUT, env, stdio: 'ignore' });
    await until('the first program', () => existsSync(join(state(), 'etcd.pid')));
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([143, null]);
    expect(processesBelow(state())).toEqual([]);
    expect(existsSync(state())).toBe(false);
  });

  it(
    'plays Berth on it until a signal, and then everything is gone',
    async () => {
      const config = join(home, 'berth.yaml');
      // Another ledger was served at this address before.
      const old = { name: 'old', server: 'http://127.0.0.1:7411', token: 'berth_old' };
      writeFileSync(config, JSON.stringify({ 'current-context': 'old', contexts: [old] }));
      const env = { ...process.env, XDG_STATE_HOME: home, BERTH_CONFIG: config, DATABASE_URL: '' };
      const args = [...MAIN, 'develop', '--racks', '1', '--nodes-per-rack', '4'];
      const child = spawn(process.execPath, args, { cwd: CHECKOUT, env, stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'close');
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
      await until('what to try next', () => printed.includes('until Ctrl-C'), { deadlineMs: PLAY_MS_MAX });
      expect(printed).toMatch(/^Page +http:\S+#code=berth_code_/m);
      const berth = (...words: readonly string[]): Promise<Ended> =>
        runNode(['dist/cli/main.js', ...words], { cwd: CHECKOUT, env: { BERTH_CONFIG: config } });
      expect(await berth('apply', '-f', 'docs/examples/kubernetes/gang.yaml')).toMatchObject({ code: 0 });
      const kubectl = new Kubectl(/^KUBECONFIG=(.+)$/m.exec(printed)?.[1] ?? '');
      const phases = ['get', 'pods', '-n', 'research', '-o', 'jsonpath={.items[*].status.phase}'];
      const all = 'Running Running Running Running';
      await until('the gang', async () => (await kubectl.run(phases)) === all, { deadlineMs: PLAY_MS_MAX });
      child.kill('SIGINT');
      await ended;
      expect(child.exitCode).toBe(130);
      expect(printed).toContain('Everything has ended.');
      expect(processesBelow(state())).toEqual([]);
      expect(existsSync(state())).toBe(false);
      expect(readFileSync(config, 'utf8').match(/token: .*/g)).toEqual(['token: berth_old']);
    },
    2 * PLAY_MS_MAX,
  );

  it.each([
    ['up', '--racks', 'many'],
    ['up', '--racks', '100', '--nodes-per-rack', '100'],
    ['up', '--nothing'],
    ['sideways'],
  ])('says how it is used when asked for %s %s', async (...args) => {
    const { code, stderr } = await rig(...args);
    expect(code).toBe(1);
    expect(stderr).toContain('Usage: npm run rig:up');
  });
});
