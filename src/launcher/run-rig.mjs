import { inCheckout } from './checkout.mjs';
import { runNode } from './run-child.mjs';

/**
 * `npm run rig:build`, which needs Go and no package.
 * @returns {Promise<number>}
 */
export async function buildRig() {
  const { code } = await runNode([inRig('build-binaries.mjs')], { output: 'inherit' });
  return code;
}

/** @param {string} file */
function inRig(file) {
  return inCheckout('test', 'kubernetes', 'rig', file);
}
