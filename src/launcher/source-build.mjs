import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * The build of `src` into `dist`: one output a source, so only what changed is compiled again. Here it is decided what
 * that is; `compile-sources.mjs` does it.
 *
 * @typedef {object} Source
 * @property {string} path below `src`, with forward slashes
 * @property {string} output below `dist`
 * @property {'compile' | 'copy'} kind
 * @property {string} fingerprint
 *
 * @typedef {object} BuildPlan
 * @property {string} compiler fingerprint of everything that shapes the output of all files
 * @property {readonly Source[]} sources
 * @property {readonly Source[]} stale
 * @property {readonly string[]} orphans outputs without a source, below `dist`
 *
 * @typedef {{ readonly compiler: string, readonly files: Readonly<Record<string, string>> }} BuildRecord
 */

/** What the last build left behind about itself. */
export const BUILD_RECORD = '.build.json';

/** Built by Vite, see `dashboard-build.mjs`. */
const DASHBOARD = 'dashboard';
/** The launcher runs from source: it must work before anything is built. */
const NOT_COMPILED = [DASHBOARD, 'launcher'];

/**
 * @param {string} root
 * @returns {BuildPlan}
 */
export function planSourceBuild(root) {
  const sources = listSources(root);
  const compiler = fingerprintOfCompiler(root);
  const record = readRecord(join(root, 'dist', BUILD_RECORD));
  const isCompilerSame = record.compiler === compiler;
  const outputs = new Set(listFiles(join(root, 'dist'), [DASHBOARD]));
  const stale = sources.filter(
    ({ path, output, fingerprint }) => !isCompilerSame || record.files[path] !== fingerprint || !outputs.has(output),
  );
  const wanted = new Set(sources.flatMap(({ output }) => [output, `${output}.map`]));
  const orphans = [...outputs].filter((output) => !wanted.has(output) && !output.startsWith('.'));
  return { compiler, sources, stale, orphans };
}

/**
 * @param {string} root
 * @returns {Source[]}
 */
function listSources(root) {
  return listFiles(join(root, 'src'), NOT_COMPILED)
    .filter((path) => !/\.(test\.tsx?|d\.ts)$/.test(path))
    .map((path) => {
      const { mtimeMs, size } = statSync(join(root, 'src', path));
      const kind = path.endsWith('.ts') ? 'compile' : 'copy';
      return { path, output: path.replace(/\.ts$/, '.js'), kind, fingerprint: `${mtimeMs} ${size}` };
    });
}

/**
 * @param {string} folder
 * @param {readonly string[]} leaveOut names of folders at the top
 * @returns {string[]} files below it, with forward slashes; none when there is no such folder
 */
export function listFiles(folder, leaveOut) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return entry.isFile() ? [entry.name] : [];
    if (leaveOut.includes(entry.name)) return [];
    return listFiles(join(folder, entry.name), []).map((path) => `${entry.name}/${path.replaceAll(sep, '/')}`);
  });
}

/**
 * @param {string} root
 * @returns {string}
 */
function fingerprintOfCompiler(root) {
  const hash = createHash('sha256');
  for (const file of ['.swcrc', 'src/launcher/compile-sources.mjs', 'node_modules/@swc/core/package.json']) {
    hash.update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {BuildRecord}
 */
function readRecord(file) {
  try {
    /** @type {unknown} */
    const record = JSON.parse(readFileSync(file, 'utf8'));
    return /** @type {BuildRecord} */ (record);
  } catch {
    return { compiler: '', files: {} }; // no build yet, or one cut short: everything is stale
  }
}
