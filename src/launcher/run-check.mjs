import { existsSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { runSteps } from './run-steps.mjs';
import { jestCommand } from './run-tests.mjs';

/** Unit tests, and what keeps the repository itself honest; the rest of `test/` is for `npm test`. */
const QUICK_TESTS = ['src/', 'test/repository/lockfile', 'test/repository/committed-text'];
/** Where Prettier keeps its cache too. An install empties it, so a new version of a tool starts without old answers. */
const ESLINT_CACHE = 'node_modules/.cache/eslint/';

/** Typed lint makes so many short-lived objects that a larger nursery saves a sixth of its time. */
const ROOM_FOR_YOUNG = '--max-semi-space-size=128';

/**
 * Types, lint, formatting, architecture, dead code and unit tests.
 * @param {'cached' | 'afresh'} lint `cached` looks only at files that changed, so it can miss a complaint about a file
 *   whose neighbour's types changed
 * @returns {Promise<number>}
 */
export function runCheck(lint) {
  return runSteps(checkSteps(lint));
}

/**
 * @param {'cached' | 'afresh'} lint
 * @returns {readonly import('./run-steps.mjs').Step[]}
 */
function checkSteps(lint) {
  const eslintCache = lint === 'cached' ? ['--cache', '--cache-location', ESLINT_CACHE] : [];
  const tsc = tool('typescript/bin/tsc');
  const dashboard = existsSync(inCheckout('src/dashboard/tsconfig.json'))
    ? [{ name: 'types of the dashboard', args: [tsc, '--noEmit', '-p', 'src/dashboard'] }]
    : [];
  return [
    { name: 'eslint', args: [ROOM_FOR_YOUNG, tool('eslint/bin/eslint.js'), '.', '--max-warnings=0', ...eslintCache] },
    { name: 'unit tests', args: jestCommand(['--maxWorkers=1', ...QUICK_TESTS]) },
    { name: 'types', args: [tsc, '--noEmit', '-p', '.'] },
    { name: 'formatting', args: [tool('prettier/bin/prettier.cjs'), '--check', '.', '--cache'] },
    ...dashboard,
    {
      name: 'architecture',
      args: [
        tool('dependency-cruiser/bin/dependency-cruise.mjs'),
        '--config',
        '.dependency-cruiser.cjs',
        'src',
        'test',
      ],
    },
    { name: 'dead code', args: [tool('knip/bin/knip.js')] },
  ];
}

/**
 * @param {string} path
 * @returns {string}
 */
function tool(path) {
  return inCheckout('node_modules', path);
}
