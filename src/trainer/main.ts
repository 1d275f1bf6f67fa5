/** The program that a training pod runs: `node dist/trainer/main.js --file job.yaml [--check] [--out DIR]`. */
import { parseArgs } from 'node:util';
import type { EXIT } from './contract.js';
import type { TrainOptions } from './train-command.js';

// Their module loads packages, and comes too late for what may happen at once.
const [BAD_CONFIG, PREEMPTED]: [typeof EXIT.badConfig, typeof EXIT.preempted] = [64, 75];

function readArguments(): TrainOptions {
  const { values } = parseArgs({
    options: {
      file: { type: 'string', short: 'f' },
      check: { type: 'boolean', default: false },
      backend: { type: 'string', default: 'wasm' },
      out: { type: 'string' },
    },
  });
  const { file, check, backend, out } = values;
  if (file === undefined) throw new Error('--file JOB.yaml is required');
  if (backend !== 'wasm') throw new Error(`--backend ${backend} is not known; wasm is`);
  return { file, check, backend, ...(out === undefined ? {} : { out }) };
}

function argumentsOrExit(): TrainOptions {
  try {
    return readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(BAD_CONFIG);
  }
}

/** Until there is a training to stop, which then listens itself, there is nothing to save. */
function stopEarly(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(PREEMPTED);
}

process.on('SIGTERM', stopEarly).on('SIGINT', stopEarly);
const options = argumentsOrExit();
const { runTrain } = await import('./train-command.js');
process.exitCode = await runTrain(options);
process.off('SIGTERM', stopEarly).off('SIGINT', stopEarly);
