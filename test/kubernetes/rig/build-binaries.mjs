// `npm run rig:build`: builds the programs of the rig into the cache, where all checkouts and test runs share them.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Interrupted, LaunchError } from '../../../src/launcher/launch-error.mjs';
import { withProgress } from '../../../src/launcher/progress.mjs';
import { runChild } from '../../../src/launcher/run-child.mjs';
import {
  GO_ENVIRONMENT,
  MODULES,
  binariesFolder,
  goBuild,
  isRigBuilt,
  moduleFolder,
  rigCache,
  versionOf,
} from './binaries.mjs';

/** What go.mod of Kubernetes asks for. */
const GO_MINOR_MIN = 26;
/** Another checkout may still use an older build, and a build that goes on has written lately. */
const SUPERSEDED_AFTER_MS = 24 * 3_600_000;

async function buildRig() {
  const place = binariesFolder();
  if (isRigBuilt()) return process.stderr.write(`berth: the rig is built: ${place}\n`);
  await requireGo();
  const next = `${place}.building-${process.pid}`;
  try {
    mkdirSync(next, { recursive: true });
    for (const [index, module] of MODULES.entries()) {
      const doing = `building ${module.name} ${versionOf(module)}, ${index + 1} of ${MODULES.length}`;
      const hint = 'all four: about ten minutes the first time';
      const progress = { doing, done: `${module.name} built`, ...(index === 0 ? { hint } : {}) };
      await withProgress(progress, () => build(module, next));
    }
    moveTo(place, next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
  removeSuperseded(place);
  return process.stderr.write(`berth: the rig is built: ${place}\n`);
}

/** @returns {Promise<void>} */
async function requireGo() {
  const next = 'Install Go from https://go.dev/dl, then run `npm run rig:build` again.';
  const version = await go(['env', 'GOVERSION']).catch(noGo);
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (version === undefined || major === undefined) throw new LaunchError(`The rig is built by Go. ${next}`);
  if (Number(major) === 1 && Number(minor) < GO_MINOR_MIN)
    throw new LaunchError(`The rig needs Go 1.${GO_MINOR_MIN} or newer, and this is ${version.trim()}. ${next}`);
}

/**
 * @param {unknown} error
 * @returns {undefined}
 */
function noGo(error) {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

/**
 * @param {import('./binaries.mjs').Module} module
 * @param {string} output
 */
async function build(module, output) {
  await go(goBuild(module, output), moduleFolder(module));
}

/**
 * @param {readonly string[]} args
 * @param {string} [cwd]
 * @returns {Promise<string>} what it printed
 */
async function go(args, cwd = import.meta.dirname) {
  const ended = await runChild({ file: 'go', args, output: 'capture', cwd, env: GO_ENVIRONMENT });
  if (ended.isInterrupted) throw new Interrupted(ended.code);
  if (ended.code !== 0) throw explain(ended.output);
  return ended.output;
}

/**
 * @param {string} output
 * @returns {LaunchError}
 */
function explain(output) {
  const last = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('go: downloading'))
    .at(-1);
  const said = last === undefined ? 'it gave no reason.' : last.trim();
  if (/no space left on device/.test(output))
    return new LaunchError(
      `The disk is full: the build needs about 8 GB in the folder \`go env GOCACHE\`. Go: ${said}`,
    );
  if (/dial tcp|proxyconnect|no such host|TLS handshake|i\/o timeout/.test(output))
    return new LaunchError(
      `Cannot reach the Go module proxy: check the network and \`go env GOPROXY\`, then run the same command again. ` +
        `Go: ${said}`,
    );
  return new LaunchError(`The rig does not build. Go: ${said}`);
}

/**
 * A folder takes its place whole, or finds that another build was faster.
 * @param {string} place
 * @param {string} next
 */
function moveTo(place, next) {
  try {
    renameSync(next, place);
  } catch (error) {
    if (!isRigBuilt()) throw error;
  }
}

/** @param {string} place */
function removeSuperseded(place) {
  for (const name of readdirSync(rigCache())) {
    const folder = join(rigCache(), name);
    const changedMs = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (folder !== place && Date.now() - changedMs > SUPERSEDED_AFTER_MS)
      rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await buildRig();
} catch (error) {
  if (error instanceof Interrupted) {
    process.exitCode = error.code;
  } else if (error instanceof LaunchError) {
    process.stderr.write(`berth: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
