import { pathToFileURL } from 'node:url';
import { inCheckout } from './checkout.mjs';
import { runNode } from './run-child.mjs';

/**
 * Runs a TypeScript program that is not part of the build, such as a benchmark.
 * @param {string} file
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code
 */
export async function runTypeScript(file, args) {
  const hooks = pathToFileURL(inCheckout('src', 'launcher', 'register-typescript.mjs')).href;
  const { code } = await runNode(['--enable-source-maps', '--import', hooks, file, ...args], { output: 'inherit' });
  return code;
}
