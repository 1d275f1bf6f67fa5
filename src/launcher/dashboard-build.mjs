import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Interrupted, LaunchError, diskFull } from './launch-error.mjs';
import { withProgress } from './progress.mjs';
import { runNode } from './run-child.mjs';
import { listFiles } from './source-build.mjs';

const RECORD = '.dashboard.json';

/**
 * Whether `dist/dashboard` is not what Vite would make of `src/dashboard` now.
 * @param {string} root
 * @returns {boolean}
 */
export function isDashboardStale(root) {
  if (!existsSync(join(root, 'src', 'dashboard', 'index.html'))) return false;
  if (!existsSync(join(root, 'dist', 'dashboard', 'index.html'))) return true;
  const record = join(root, 'dist', RECORD);
  return !existsSync(record) || readFileSync(record, 'utf8') !== fingerprint(root);
}

/**
 * Builds beside the old one and then changes places, so that a running server never serves half a dashboard.
 * @param {string} root
 * @returns {Promise<void>}
 */
export async function buildDashboard(root) {
  const before = fingerprint(root);
  const next = join(root, 'dist', 'dashboard.next');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', join(root, 'src', 'dashboard'), '--outDir', next, '--emptyOutDir', '--logLevel', 'warn'];
  await withProgress({ doing: 'building the dashboard', done: 'dashboard built' }, async () => {
    const ended = await runNode(args, { output: 'capture', cwd: root });
    if (ended.isInterrupted) throw new Interrupted(ended.code);
    if (/\bENOSPC\b/.test(ended.output)) throw diskFull(root);
    if (ended.code !== 0) throw new LaunchError(`The dashboard does not build:\n${ended.output.trim()}`);
  });
  const place = join(root, 'dist', 'dashboard');
  rmSync(place, { recursive: true, force: true });
  renameSync(next, place);
  writeFileSync(join(root, 'dist', RECORD), before);
}

/**
 * @param {string} root
 * @returns {string}
 */
function fingerprint(root) {
  const folder = join(root, 'src', 'dashboard');
  // Of Vite, and of the packages that it puts into the pages.
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const path of listFiles(folder, []).filter((name) => !/\.test\.tsx?$/.test(name))) {
    const { mtimeMs, size } = statSync(join(folder, path));
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}
