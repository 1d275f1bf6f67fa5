import { inCheckout } from './checkout.mjs';
import { runNode } from './run-child.mjs';

/** Jest runs native ES modules through an API that Node calls experimental; the flag also silences saying so. */
const NODE_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

/**
 * The command line of Jest. The flags go to Jest and its workers only: in NODE_OPTIONS they would reach the servers
 * that the tests start.
 * @param {readonly string[]} args
 * @returns {readonly string[]}
 */
export function jestCommand(args) {
  return [...NODE_FLAGS, inCheckout('node_modules', 'jest', 'bin', 'jest.js'), ...args];
}

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string>>} env
 * @returns {Promise<number>}
 */
export async function runTests(args, env) {
  const { code } = await runNode(jestCommand(args), { output: 'inherit', env });
  return code;
}
