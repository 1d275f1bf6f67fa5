import { mkdirSync } from 'node:fs';
import { initialiseCluster } from './initialise-cluster.js';
import { findPostgresBinaries } from './postgres-binaries.js';
import { PostgresFolder } from './postgres-folder.js';
import type { Durability, PostmasterOptions } from './postmaster.js';

interface PostmasterPlace {
  readonly directory: string;
  readonly durability: Durability;
  readonly signal: AbortSignal;
}

/** Makes whatever a server in this directory needs and does not have yet: the folder, its programs, its data. */
export async function preparePostmaster({ directory, ...options }: PostmasterPlace): Promise<PostmasterOptions> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const folder = new PostgresFolder(directory);
  const binaries = findPostgresBinaries(folder);
  await initialiseCluster(folder, binaries);
  return { folder, binaries, ...options };
}
