// Compiles what is stale of `src` into `dist`, in a process of its own: `node compile-sources.mjs [--watch]`. It is the
// one file of the launcher, with typescript-hooks.mjs, that needs a package; it runs after the install.
import { copyFileSync, mkdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { transformFileSync } from '@swc/core';
import { CHECKOUT } from './checkout.mjs';
import { BUILD_RECORD, planSourceBuild } from './source-build.mjs';

/** Editors write a file in several steps, and a checkout of another branch touches many. */
const SETTLE_MS = 50;

/**
 * @param {string} root
 * @returns {readonly string[]} what the compiler complains about; empty when everything is built
 */
function compileStale(root) {
  const plan = planSourceBuild(root);
  /** @type {string[]} */
  const complaints = [];
  const failed = new Set();
  for (const source of plan.stale) {
    try {
      build(root, source);
    } catch (error) {
      if (isDiskFull(error)) throw error;
      failed.add(source.path);
      complaints.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  for (const orphan of plan.orphans) rmSync(join(root, 'dist', orphan), { force: true });
  const built = plan.sources.filter(({ path }) => !failed.has(path));
  const files = Object.fromEntries(built.map(({ path, fingerprint }) => [path, fingerprint]));
  writeWhole(join(root, 'dist', BUILD_RECORD), JSON.stringify({ compiler: plan.compiler, files }));
  return complaints;
}

/**
 * @param {string} root
 * @param {import('./source-build.mjs').Source} source
 */
function build(root, { path, output, kind }) {
  const from = join(root, 'src', path);
  const to = join(root, 'dist', output);
  mkdirSync(dirname(to), { recursive: true });
  if (kind === 'copy') {
    copyFileSync(from, `${to}.next`);
    renameSync(`${to}.next`, to);
    return;
  }
  const sourceFileName = relative(dirname(to), from);
  const { code, map } = transformFileSync(from, { configFile: join(root, '.swcrc'), sourceFileName });
  if (map !== undefined) writeWhole(`${to}.map`, map);
  writeWhole(to, map === undefined ? code : `${code}\n//# sourceMappingURL=${basename(to)}.map\n`);
}

/**
 * A running server may import the file at any time: it sees the old one or the new one, never half of one.
 * @param {string} file
 * @param {string} content
 */
function writeWhole(file, content) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.next`, content);
  renameSync(`${file}.next`, file);
}

/**
 * @param {unknown} error
 * @returns {boolean}
 */
function isDiskFull(error) {
  return error instanceof Error && 'code' in error && error.code === 'ENOSPC';
}

/** @param {string} root */
function compileOnChange(root) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  watch(join(root, 'src'), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => process.stderr.write(report(compileStale(root))), SETTLE_MS);
  });
}

/**
 * @param {readonly string[]} complaints
 * @returns {string}
 */
function report(complaints) {
  return complaints.map((complaint) => `${complaint}\n`).join('');
}

const complaints = compileStale(CHECKOUT);
process.stderr.write(report(complaints));
if (process.argv.includes('--watch')) compileOnChange(CHECKOUT);
else process.exitCode = complaints.length === 0 ? 0 : 1;
