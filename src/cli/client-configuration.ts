import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { formatProblems, parseYamlDocument } from '../documents/yaml-document.js';
import { UsageError } from './cli-error.js';

const ContextSchema = z.strictObject({
  name: z.string().min(1).max(253),
  server: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }),
  token: z.string().min(1).max(8192).optional(),
});
/** A server, and who the user is there. */
export type ClientContext = z.infer<typeof ContextSchema>;

const ClientConfigurationSchema = z.strictObject({
  'current-context': z.string().optional(),
  contexts: z.array(ContextSchema).max(1000).default([]),
});
export type ClientConfiguration = z.infer<typeof ClientConfigurationSchema>;

const EMPTY: ClientConfiguration = { contexts: [] };

/** `$BERTH_CONFIG`, else `$XDG_CONFIG_HOME/berth/config.yaml`, else the same under `~/.config`. */
export function configurationFile(environment: NodeJS.ProcessEnv): string {
  const { BERTH_CONFIG: file = '', XDG_CONFIG_HOME: home = '' } = environment;
  if (file !== '') return file;
  return join(home === '' ? join(homedir(), '.config') : home, 'berth', 'config.yaml');
}

/** A file that does not exist configures nothing; one that is wrong is an error with its lines. */
export async function readClientConfiguration(file: string): Promise<ClientConfiguration> {
  const text = await readIfThere(file);
  if (text === undefined || text.trim() === '') return EMPTY;
  const result = parseYamlDocument(text, ClientConfigurationSchema);
  if (result.kind === 'valid') return result.value;
  throw new UsageError(
    `${formatProblems(file, result.problems)}\nCorrect the file, or remove it and run \`berth up\`.`,
  );
}

/** It holds tokens: nobody else may read it, and a crash leaves either the old file or the new one. */
export async function writeClientConfiguration(file: string, configuration: ClientConfiguration): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, stringify(configuration), { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Adds the context, or replaces the one of its name, and makes it the current one. */
export async function saveContext(file: string, context: ClientContext): Promise<void> {
  const { contexts } = await readClientConfiguration(file);
  const others = contexts.filter(({ name }) => name !== context.name);
  await writeClientConfiguration(file, { 'current-context': context.name, contexts: [...others, context] });
}

/** Forgets a server that is no more; when it was the current one, the newest of the others takes its place. */
export async function removeContext(file: string, name: string): Promise<void> {
  const { contexts, 'current-context': current } = await readClientConfiguration(file);
  const others = contexts.filter((context) => context.name !== name);
  if (others.length === contexts.length) return;
  const next = current === name ? others.at(-1)?.name : current;
  await writeClientConfiguration(file, {
    ...(next === undefined ? {} : { 'current-context': next }),
    contexts: others,
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
