import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BerthChild } from '../support/berth-child.js';
import { CHECKOUT } from '../support/scratch-checkout.js';

describe('the command line', () => {
  let berth: BerthChild;

  beforeAll(() => {
    berth = new BerthChild();
  });

  afterAll(() => {
    berth.remove();
  });

  it('tells its version and its commands', async () => {
    const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as { version: string };
    expect(await berth.run(['--version'])).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: '' });
    const help = await berth.run(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const command of [
      'up',
      'server',
      'apply',
      'get',
      'describe',
      'explain',
      'logs',
      'cancel',
      'node',
      'scenario',
      'train',
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
  });

  const usage: Record<string, { args: readonly string[]; want: string }> = {
    'an unknown command': { args: ['gett'], want: "unknown command 'gett' (Did you mean get?); see `berth --help`" },
    'an unknown kind': { args: ['get', 'nods'], want: "unknown command 'nods' (Did you mean one of node, nodes?)" },
    'an unknown option': { args: ['get', 'nodes', '--wach'], want: "unknown option '--wach' (Did you mean --watch?)" },
    'an unknown format': {
      args: ['get', 'nodes', '-o', 'xml'],
      want: 'Allowed choices are table, wide, json, yaml, name.',
    },
    'a number that is none': { args: ['logs', 'x', '--tail', '-3'], want: 'It must be a whole number.' },
    'a missing argument': { args: ['explain'], want: "missing required argument 'workload'" },
    'a missing file': { args: ['apply', '-f', 'none.yaml'], want: 'none.yaml cannot be read: ENOENT' },
    'an address that is none': { args: ['get', 'nodes', '--server', 'here'], want: 'here is no address of a server' },
    'an unknown context': {
      args: ['get', 'nodes', '--context', 'x'],
      want: 'No context x in the configuration; it has none.',
    },
    'an unknown driver': { args: ['server', '--driver', 'slurm'], want: 'Allowed choices are local, kubernetes.' },
    'a kubeconfig for the local driver': {
      args: ['server', '--kubeconfig', 'x'],
      want: '--kubeconfig is for --driver kubernetes, and this is --driver local: leave one out.',
    },
    'a fleet file for Kubernetes': {
      args: ['server', '--driver', 'kubernetes', '--fleet', 'x'],
      want: '--fleet is for --driver local, and this is --driver kubernetes: leave one out.',
    },
    'a kubeconfig that is not there': {
      args: ['server', '--ephemeral', '--driver', 'kubernetes', '--kubeconfig', 'none.yaml'],
      want: 'cannot read the kubeconfig none.yaml: ENOENT',
    },
    'an address for pods that is none': {
      args: ['server', '--advertise', 'here'],
      want: 'It must be an http(s):// URL.',
    },
  };
  it.each(Object.entries(usage))('ends with 2 and one line on %s', async (_title, { args, want }) => {
    const { code, stdout, stderr } = await berth.run(args);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 2, stdout: '', lines: 2 });
    expect(stderr).toMatch(/^berth: /);
    expect(stderr).toContain(want);
  });

  it('ends with 1 and the next step when no server is configured', async () => {
    expect(await berth.run(['get', 'workloads'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'berth: No server is configured: start one with `npm start` or `berth up`, or name one with --server.\n',
    });
  });

  it('ends with 1 when the server does not answer, and shows the stack only on request', async () => {
    const server = 'http://127.0.0.1:9'; // the discard port: fetch refuses it without a call
    const quiet = await berth.run(['get', 'nodes'], { BERTH_SERVER: server });
    expect(quiet).toMatchObject({ code: 1, stdout: '' });
    expect(quiet.stderr).toMatch(/^berth: Cannot reach http:\/\/127\.0\.0\.1:9 \(.*\): start it with `berth up`.*\n$/);
    const loud = await berth.run(['get', 'nodes'], { BERTH_SERVER: server, BERTH_DEBUG: '1' });
    expect(loud.stderr).toMatch(/\n {4}at /);
  });

  it('ends with 1 and one line when the API server of Kubernetes does not answer', async () => {
    const kubeconfig = berth.write(
      'kubeconfig',
      JSON.stringify({
        clusters: [{ name: 'north', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'ada', user: { token: 'secret' } }],
        contexts: [{ name: 'work', context: { cluster: 'north', user: 'ada' } }],
        'current-context': 'work',
      }),
    );
    const options = ['--ephemeral', '--driver', 'kubernetes', '--kubeconfig', kubeconfig];
    const { code, stdout, stderr } = await berth.run(['server', ...options]);
    expect({ code, stdout, lines: stderr.split('\n').length }).toEqual({ code: 1, stdout: '', lines: 2 });
    expect(stderr).toMatch(
      /^berth: cannot reach the API server: .*ECONNREFUSED.*; see that it is up, or choose another/,
    );
  });

  it('ends quietly when nobody reads on', async () => {
    const main = join(CHECKOUT, 'dist', 'cli', 'main.js');
    const child = spawn(process.execPath, [main, 'openapi'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.once('data', () => child.stdout.destroy());
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
