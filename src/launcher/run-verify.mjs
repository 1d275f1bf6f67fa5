import { spawnSync } from 'node:child_process';
import { CHECKOUT } from './checkout.mjs';
import { GENERATORS } from './generators.mjs';
import { runCheck } from './run-check.mjs';
import { runSteps } from './run-steps.mjs';
import { runTests } from './run-tests.mjs';

/**
 * Generates every reference anew and fails on a difference, then checks and tests; stops at the first that fails. A
 * test that would skip for a missing program fails here.
 * @returns {Promise<number>}
 */
export async function runVerify() {
  const steps = GENERATORS.map(({ name, makes, args }) => ({ name, args, judge: () => differenceIn(makes) }));
  if ((await runSteps(steps)) !== 0) return 1;
  if ((await runCheck('afresh')) !== 0) return 1;
  return runTests([], { BERTH_VERIFY: '1' });
}

/**
 * @param {string} path
 * @returns {string | undefined}
 */
function differenceIn(path) {
  const git = spawnSync('git', ['status', '--porcelain', '--', path], { cwd: CHECKOUT, encoding: 'utf8' });
  if (git.status !== 0) return `git cannot tell whether ${path} changed: ${git.stderr.trim()}`;
  return git.stdout === '' ? undefined : `${path} is not what the code generates: look at it, and commit it.`;
}
