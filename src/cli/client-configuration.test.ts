import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  configurationFile,
  readClientConfiguration,
  removeContext,
  saveContext,
  writeClientConfiguration,
} from './client-configuration.js';

const LOCAL = { name: 'local', server: 'http://127.0.0.1:7411', token: 'berth_one' };
const FAR = { name: 'far', server: 'https://berth.example' };

describe('the configuration file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
    file = join(folder, 'berth', 'config.yaml');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('configures nothing where there is none', async () => {
    expect(await readClientConfiguration(file)).toEqual({ contexts: [] });
  });

  it('gives back what was written, for nobody else to read, and leaves no draft behind', async () => {
    const configuration = { 'current-context': 'far', contexts: [LOCAL, FAR] };
    await writeClientConfiguration(file, configuration);
    expect(await readClientConfiguration(file)).toEqual(configuration);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'berth'))).toEqual(['config.yaml']);
  });

  it('becomes private when it was not', async () => {
    mkdirSync(join(folder, 'berth'));
    writeFileSync(file, 'contexts: []\n', { mode: 0o644 });
    await saveContext(file, LOCAL);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('replaces the context of a name, keeps the others, and makes the saved one current', async () => {
    await writeClientConfiguration(file, { 'current-context': 'far', contexts: [LOCAL, FAR] });
    const renewed = { ...LOCAL, token: 'berth_two' };
    await saveContext(file, renewed);
    expect(await readClientConfiguration(file)).toEqual({ 'current-context': 'local', contexts: [FAR, renewed] });
  });

  it('makes another context current when the current one is removed', async () => {
    await writeClientConfiguration(file, { 'current-context': 'local', contexts: [FAR, LOCAL] });
    await removeContext(file, 'local');
    expect(await readClientConfiguration(file)).toEqual({ 'current-context': 'far', contexts: [FAR] });
    await removeContext(file, 'far');
    expect(await readClientConfiguration(file)).toEqual({ contexts: [] });
  });

  it('names the lines of its mistakes, and stays as it is', async () => {
    const text = 'current-contexts: local\ncontexts:\n  - name: local\n    server: 127.0.0.1:7411\n';
    mkdirSync(join(folder, 'berth'));
    writeFileSync(file, text);
    await expect(saveContext(file, LOCAL)).rejects.toMatchObject({
      exitCode: 2,
      message: [
        `${file}:1:1: current-contexts: is not a known field`,
        `${file}:4:5: contexts.0.server: must be an http:// or https:// URL`,
        'Correct the file, or remove it and run `berth up`.',
      ].join('\n'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe(configurationFile.name, () => {
  it.each([
    ['BERTH_CONFIG first', { BERTH_CONFIG: '/a/b.yaml', XDG_CONFIG_HOME: '/x' }, '/a/b.yaml'],
    ['the XDG folder', { BERTH_CONFIG: '', XDG_CONFIG_HOME: '/x' }, '/x/berth/config.yaml'],
    ['the home folder', {}, join(homedir(), '.config', 'berth', 'config.yaml')],
  ])('is where the environment says: %s', (_title, environment, want) => {
    expect(configurationFile(environment)).toBe(want);
  });
});
