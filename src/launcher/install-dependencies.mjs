import { basename } from 'node:path';
import { explainInstallFailure } from './install-failure.mjs';
import { missingFromTree } from './installed-tree.mjs';
import { Interrupted, LaunchError } from './launch-error.mjs';
import { withProgress } from './progress.mjs';
import { runChild } from './run-child.mjs';

/**
 * Everything is asked for by name, because the environment may say otherwise: `NODE_ENV=production` would leave out the
 * compiler. npm tries three times, by itself for 5 min each with 10 and 60 s between, which is long to wait for the word
 * that there is no network.
 */
const NPM_CI = [
  ...['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'],
  ...['--fetch-timeout=30000', '--fetch-retry-mintimeout=1000', '--fetch-retry-factor=4'],
];

/** While it unpacks, npm does not look up for seconds; what it leaves unfinished, the next install begins anew. */
const INTERRUPTED_MS_MAX = 1_000;

/**
 * Makes `node_modules` what the lockfile says. Call it under the set-up lock.
 * @param {string} root
 * @returns {Promise<void>}
 */
export async function installDependencies(root) {
  if (missingFromTree(root).length === 0) return;
  const npm = findNpm();
  const text = { doing: 'installing dependencies', done: 'dependencies installed', hint: 'first time: about a minute' };
  await withProgress(text, async () => {
    const args = [...npm.args, ...NPM_CI];
    const ended = await runChild({
      file: npm.file,
      args,
      output: 'capture',
      cwd: root,
      graceMs: INTERRUPTED_MS_MAX,
    }).catch(noNpm);
    if (ended.isInterrupted) throw new Interrupted(ended.code);
    if (ended.code !== 0) throw explainInstallFailure(ended.output, root);
  });
  const [missing] = missingFromTree(root);
  if (missing === undefined) return;
  // npm drops an optional package that it could not download, and says nothing.
  throw new LaunchError(`npm ci succeeded, but ${missing}: check the network, then run the same command again.`);
}

/**
 * npm tells the scripts it runs where it is; a launcher started by hand takes the one on the PATH.
 * @returns {{ readonly file: string, readonly args: readonly string[] }}
 */
function findNpm() {
  const script = process.env['npm_execpath'];
  if (script !== undefined && basename(script) === 'npm-cli.js') return { file: process.execPath, args: [script] };
  return { file: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] };
}

/**
 * @param {unknown} error
 * @returns {never}
 */
function noNpm(error) {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  throw new LaunchError('npm was not found: install it together with Node from https://nodejs.org, then try again.');
}
