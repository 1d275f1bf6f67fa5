import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { KubernetesConfigurationError, readServerAccess } from './server-access.js';

const CONFIG = `
apiVersion: v1
kind: Config
clusters: [{name: north, cluster: {server: "https://north:6443", certificate-authority: ca.crt}}]
users: [{name: ada, user: {token: north-token}}]
contexts: [{name: work, context: {cluster: north, user: ada, namespace: berth}}]
current-context: work
`;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-access-'));
  jest.replaceProperty(process, 'env', { PATH: process.env['PATH'] });
  write('ca.crt', 'the authority');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  jest.restoreAllMocks();
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function writePod(token: string): void {
  const secrets = join(folder, 'var/run/secrets/kubernetes.io/serviceaccount');
  mkdirSync(secrets, { recursive: true });
  for (const [name, text] of Object.entries({ token, 'ca.crt': 'the authority', namespace: 'berth' }))
    writeFileSync(join(secrets, name), text);
}

describe(readServerAccess.name, () => {
  it('reads server, trust and token from a kubeconfig, and files beside it', async () => {
    const access = await readServerAccess({ kubeconfig: write('config', CONFIG) });
    expect(access).toMatchObject({ server: 'https://north:6443', namespace: 'berth' });
    expect(access.origin).toBe(`context work of ${join(folder, 'config')}`);
    expect(await access.credentials('if-due')).toEqual({
      tls: { ca: 'the authority' },
      headers: { Authorization: 'Bearer north-token' },
    });
  });

  it('reads the files of KUBECONFIG as kubectl does: the first to name a context decides', async () => {
    const second = CONFIG.replaceAll('north', 'south').replaceAll('work', 'home').replaceAll('ada', 'bob');
    process.env['KUBECONFIG'] = [write('one', CONFIG), write('two', second)].join(delimiter);
    expect((await readServerAccess({})).server).toBe('https://north:6443');
    expect((await readServerAccess({ context: 'home' })).server).toBe('https://south:6443');
  });

  it('uses the service account of the pod that it runs in, and follows its token', async () => {
    process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1';
    process.env['KUBERNETES_SERVICE_PORT'] = '443';
    writePod('first\n');
    const access = await readServerAccess({ podRoot: folder });
    expect(access).toMatchObject({ server: 'https://10.96.0.1:443', namespace: 'berth' });
    expect((await access.credentials('if-due')).headers).toEqual({ Authorization: 'Bearer first' });
    writePod('second\n');
    expect((await access.credentials('if-due')).headers).toEqual({ Authorization: 'Bearer second' });
  });

  it('asks a plugin for a token, and again only when the server has refused it', async () => {
    const calls = join(folder, 'calls');
    const answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"T"}}';
    chmodSync(write('plugin', `#!/bin/sh\necho call >>'${calls}'\necho '${answer}'\n`), 0o755);
    const user = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${join(folder, 'plugin')}}}`;
    const access = await readServerAccess({
      kubeconfig: write('config', CONFIG.replace('{token: north-token}', user)),
    });
    const told: (string | undefined)[] = [];
    for (const renewal of ['if-due', 'if-due', 'always'] as const)
      told.push((await access.credentials(renewal)).headers['Authorization']);
    expect(told).toEqual(['Bearer T', 'Bearer T', 'Bearer T']);
    expect(readFileSync(calls, 'utf8')).toBe('call\ncall\n');
  });

  const mistakes: Record<string, { config?: string; context?: string; want: string }> = {
    'no configuration at all': { want: 'set KUBECONFIG to the path of a kubeconfig' },
    'a file that is no YAML': { config: '{', want: 'cannot read the kubeconfig FILE: ' },
    'no current context': {
      config: CONFIG.replace('current-context: work', ''),
      want: 'the kubeconfig FILE has no current context: choose one of its contexts: work',
    },
    'a context that is not there': {
      config: CONFIG,
      context: 'play',
      want: 'the kubeconfig FILE has no context play: choose one of its contexts: work',
    },
    'a cluster that is not there': {
      config: CONFIG.replace('cluster: north,', 'cluster: west,'),
      want: 'context work of FILE names the cluster west, which is not in the file: add it under clusters',
    },
    'a user who is not there': {
      config: CONFIG.replace('user: ada,', 'user: eve,'),
      want: 'context work of FILE names the user eve, who is not in the file: add it under users',
    },
    'a server that is no address': {
      config: CONFIG.replace('https://north:6443', 'north'),
      want: 'context work of FILE has the server "north", which is no address: write https://HOST:PORT',
    },
    'a proxy': {
      config: CONFIG.replace('certificate-authority', 'proxy-url: "http://proxy", certificate-authority'),
      want: 'context work of FILE has a proxy-url, which Berth does not support',
    },
    'a file of trust that is not there': {
      config: CONFIG.replace('ca.crt', 'lost.crt'),
      want: 'lost.crt, which does not exist: restore it, or correct the path',
    },
    'http without permission': {
      config: CONFIG.replace('https://north', 'http://north'),
      want: 'cannot get the credentials of context work of FILE: HTTP protocol is not allowed',
    },
    'a plugin that is not installed': {
      config: CONFIG.replace('{token: north-token}', '{exec: {command: /nowhere/plugin}}'),
      want: 'cannot get the credentials of context work of FILE: spawn /nowhere/plugin ENOENT',
    },
  };

  it.each(Object.entries(mistakes))('says where and what next: %s', async (_title, { config, context, want }) => {
    const file = config === undefined ? undefined : write('config', config);
    const source = { ...(file && { kubeconfig: file }), ...(context && { context }) };
    const reading = readServerAccess(source).then((access) => access.credentials('if-due'));
    await expect(reading).rejects.toThrow(want.replaceAll('FILE', String(file)));
    await expect(reading).rejects.toBeInstanceOf(KubernetesConfigurationError);
  });

  it('names a kubeconfig that does not exist', async () => {
    const file = join(folder, 'nowhere');
    await expect(readServerAccess({ kubeconfig: file })).rejects.toThrow(`cannot read the kubeconfig ${file}: ENOENT`);
  });
});
