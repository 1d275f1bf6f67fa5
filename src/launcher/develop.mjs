import { existsSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { runNode } from './run-child.mjs';

/**
 * The server and the dashboard, built again and started again on every change of a source, until Ctrl-C.
 * @param {readonly string[]} args for `berth up`
 * @returns {Promise<number>}
 */
export async function develop(args) {
  const programs = [
    [inCheckout('src', 'launcher', 'compile-sources.mjs'), '--watch'],
    ['--watch', '--watch-preserve-output', '--enable-source-maps', inCheckout('dist', 'cli', 'main.js'), 'up', ...args],
  ];
  if (existsSync(inCheckout('src', 'dashboard', 'index.html'))) {
    const vite = inCheckout('node_modules', 'vite', 'bin', 'vite.js');
    const out = inCheckout('dist', 'dashboard');
    programs.push([vite, 'build', inCheckout('src', 'dashboard'), '--watch', '--outDir', out, '--logLevel', 'warn']);
  }
  const over = new AbortController();
  const ends = programs.map((program) => runNode(program, { output: 'inherit', stop: over.signal }));
  // Each watches until it is told to stop: an end without a signal is a failure, and the others are no use alone.
  const first = await Promise.race(ends);
  over.abort();
  await Promise.all(ends);
  return first.isInterrupted ? 0 : first.code;
}
