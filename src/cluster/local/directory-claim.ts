import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LocalPaths } from './local-paths.js';
import { claimFile, claimantOf } from './pod-folder.js';
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.js';

/** A predecessor that was just killed lives until the kernel has taken it down. */
const DYING_MS = 1500;
const LOOK_MS = 25;

const NAME = /^driver\.claim\.(\d+)$/;

/**
 * The right of one server to the driver's folders. Claims are numbered files, and the newest counts: whoever finds that
 * its holder is dead, or gave it back, makes the next one, which only one process can. The newest is never removed, so
 * that no number is used twice.
 */
export class DirectoryClaim {
  private constructor(
    private readonly paths: LocalPaths,
    private readonly file: string,
  ) {}

  /** Makes the folders, too. Throws when another server drives the pods there, or when others could write to them. */
  static async take(paths: LocalPaths): Promise<DirectoryClaim> {
    const self = identifyProcess(process.pid);
    if (self === undefined) throw new Error('the local driver needs a system with /proc or ps');
    makeFolders(paths);
    const giveUpAt = performance.now() + DYING_MS;
    for (;;) {
      const file = claimNext(paths.root, self);
      if (file !== undefined) return new DirectoryClaim(paths, file);
      if (performance.now() > giveUpAt) {
        throw new Error(`another server runs the pods in ${paths.root}: stop it, or use another data directory`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Removes what lies outside of the driver's own folder: the one that a socket gets when the path is too long. */
  release(): void {
    const folder = dirname(this.paths.socket);
    if (folder !== this.paths.root) rmSync(folder, { recursive: true, force: true });
    truncateSync(this.file);
  }
}

/** The file of the claim that was made; undefined while another's holds. */
function claimNext(root: string, self: ProcessIdentity): string | undefined {
  const newest = newestClaim(root);
  const holder = claimantOf(claimPath(root, newest));
  if (holder !== undefined && isAlive(holder)) return undefined;
  const file = claimPath(root, newest + 1);
  if (!claimFile(file, self)) return undefined;
  // Others may have come and gone since the look: a number that is not the newest is worth nothing.
  if (newestClaim(root) !== newest + 1) {
    rmSync(file);
    return undefined;
  }
  for (const number of claimsIn(root)) if (number <= newest) rmSync(claimPath(root, number), { force: true });
  return file;
}

function claimPath(root: string, number: number): string {
  return join(root, `driver.claim.${number}`);
}

function newestClaim(root: string): number {
  return Math.max(0, ...claimsIn(root));
}

function claimsIn(root: string): readonly number[] {
  return readdirSync(root).flatMap((name) => {
    const digits = NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
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
