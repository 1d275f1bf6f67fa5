import { inCheckout } from './checkout.mjs';
import { runNode } from './run-child.mjs';
import { runTypeScript } from './run-typescript.mjs';

/**
 * `npm run rig:build`, which needs Go and no package.
 * @returns {Promise<number>}
 */
export async function buildRig() {
  const { code } = await runNode([inRig('build-binaries.mjs')], { output: 'inherit' });
  return code;
}

/**
 * `npm run rig:up` and `rig:down`.
 * @param {'down' | 'up'} what
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function runRig(what, args) {
  return runTypeScript(inRig('main.ts'), [what, ...args]);
}

/**
 * `npm run dev:kubernetes`, which is meant to end by a signal.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function developOnKubernetes(args) {
  const code = await runTypeScript(inRig('main.ts'), ['develop', ...args]);
  return code > 128 ? 0 : code;
}

/** @param {string} file */
function inRig(file) {
  return inCheckout('test', 'kubernetes', 'rig', file);
}
