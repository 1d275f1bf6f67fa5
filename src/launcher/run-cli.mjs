import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inCheckout } from './checkout.mjs';
import { LaunchError } from './launch-error.mjs';

/**
 * Goes on as the `berth` command line, in this very process: signals, exit codes and the terminal need no passing on,
 * and a second Node would cost 40 ms.
 * @param {readonly string[]} args
 * @returns {Promise<undefined>}
 */
export async function runCli(args) {
  const main = inCheckout('dist', 'cli', 'main.js');
  if (!existsSync(main)) throw new LaunchError(`${main} is missing: run \`npm run build\` and see what it says.`);
  const typedIn = process.env['INIT_CWD'];
  // `npm run berth` moves to the checkout; a file named on the command line is meant from where the user stands.
  if (process.env['npm_lifecycle_event'] === 'berth' && typedIn !== undefined) process.chdir(typedIn);
  process.argv = [process.execPath, main, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(main).href);
}
