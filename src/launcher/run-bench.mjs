import { existsSync, readdirSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { LaunchError } from './launch-error.mjs';
import { runTypeScript } from './run-typescript.mjs';

const SUFFIX = '.bench.ts';

/**
 * `npm run bench -- core` runs `test/performance/core.bench.ts`, further arguments go to it; without a name, all run.
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export async function runBench([wanted, ...args]) {
  const folder = inCheckout('test', 'performance');
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(SUFFIX)) : [];
  const names = files.map((file) => file.slice(0, -SUFFIX.length)).sort();
  const chosen = names.filter((name) => wanted === undefined || name === wanted);
  if (chosen.length === 0)
    throw new LaunchError(`No benchmark ${wanted ?? ''}: there is ${names.join(', ') || 'none yet'}.`);
  for (const name of chosen) {
    const code = await runTypeScript(inCheckout('test', 'performance', name + SUFFIX), args);
    if (code !== 0) return code;
  }
  return 0;
}
