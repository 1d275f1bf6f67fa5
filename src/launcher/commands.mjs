import { runBench } from './run-bench.mjs';
import { runCheck } from './run-check.mjs';
import { runCli } from './run-cli.mjs';
import { buildRig, developOnKubernetes, runRig } from './run-rig.mjs';
import { develop } from './develop.mjs';
import { Interrupted, LaunchError, launchErrorOf } from './launch-error.mjs';
import { prepare } from './prepare.mjs';
import { runTests } from './run-tests.mjs';
import { runVerify } from './run-verify.mjs';

/** The environment variable that the property tests read their number of cases from, and the number of a deep run. */
const DEEP = { BERTH_LAW_CASES: '10000' };

/**
 * What each npm script does in a checkout that is built. A number is the exit code; undefined leaves it to the command
 * line, which goes on in this process.
 * @type {Readonly<Record<string, (args: readonly string[]) => Promise<number | undefined>>>}
 */
const COMMANDS = {
  start: (args) => runCli(['up', ...args]),
  berth: runCli,
  test: (args) => runTests(args, {}),
  'test:deep': (args) => runTests(args, DEEP),
  check: () => runCheck('cached'),
  verify: () => runVerify(),
  bench: runBench,
  dev: develop,
  'dev:kubernetes': developOnKubernetes,
  'rig:build': buildRig,
  'rig:up': (args) => runRig('up', args),
  'rig:down': (args) => runRig('down', args),
  build: () => Promise.resolve(0),
};

/**
 * Sets the checkout up and runs the command. Ends with one line, and no stack, when the user can put it right.
 * @param {string | undefined} name
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
export async function runCommand(name, args) {
  const command = COMMANDS[name ?? ''];
  try {
    if (command === undefined)
      throw new LaunchError(`No command ${name ?? ''}: it is one of ${Object.keys(COMMANDS).join(', ')}.`);
    await prepare().catch((/** @type {unknown} */ error) => {
      throw launchErrorOf(error);
    });
    const code = await command(args);
    if (code !== undefined) process.exitCode = code;
  } catch (error) {
    if (error instanceof Interrupted) {
      process.exitCode = error.code;
    } else if (error instanceof LaunchError) {
      process.stderr.write(`berth: ${error.message}\n`);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
