import { mkdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { LocalPaths } from './local-paths.js';

/** A predecessor that was just killed still answers until the kernel has taken it down. */
const DYING_MS = 1500;
const LOOK_MS = 25;

/** Makes the driver's folders. Throws when another server drives the pods there, or when others could write to them. */
export async function claimDirectory(paths: LocalPaths): Promise<void> {
  makeFolders(paths);
  const giveUpAt = performance.now() + DYING_MS;
  while (await answers(paths.socket)) {
    if (performance.now() > giveUpAt) {
      throw new Error(`another server runs the pods in ${paths.root}: stop it, or use another data directory`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Removes what lies outside of the driver's own folder: the one that a socket gets when the path is too long. */
export function releaseDirectory(paths: LocalPaths): void {
  const folder = dirname(paths.socket);
  if (folder !== paths.root) rmSync(folder, { recursive: true, force: true });
}

/** Only this user may enter: the folder's mode is what protects tokens and the line to the shims. */
function makeFolders(paths: LocalPaths): void {
  for (const folder of [paths.root, paths.pods, paths.fences, dirname(paths.socket)]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  const { uid, mode } = statSync(dirname(paths.socket));
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${dirname(paths.socket)} can be written by others: remove it, or choose another data directory`);
  }
}

async function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
