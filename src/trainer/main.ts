/** The program that a training pod runs: `node dist/trainer/main.js --file job.yaml [--check] [--out DIR]`. */
import { parseArgs } from 'node:util';
import { EXIT } from './contract.js';
import { runTrain, type TrainOptions } from './train-command.js';

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
    return process.exit(EXIT.badConfig);
  }
}

process.exitCode = await runTrain(argumentsOrExit());
