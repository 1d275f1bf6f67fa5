import { Option, type Command } from 'commander';

interface TrainFlags {
  readonly file: string;
  readonly check?: true;
  readonly backend?: 'wasm';
  readonly out?: string;
}

/** The trainer, alone: no server, no cluster. It ends with the trainer's own exit codes. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train what a job file describes, here and now')
    .requiredOption('-f, --file <job>', 'the job file')
    .option('--check', 'only say whether the job file and its data fit together')
    .addOption(new Option('--backend <name>', 'what to compute with').choices(['wasm']))
    .option('--out <folder>', 'where the report goes; by default runs/NAME beside the job file')
    .action(async ({ file, check, backend, out }: TrainFlags) => {
      const { runTrain } = await import('../trainer/train-command.js'); // it brings TensorFlow along
      process.exitCode = await runTrain({
        file,
        ...(check === undefined ? {} : { check }),
        ...(backend === undefined ? {} : { backend }),
        ...(out === undefined ? {} : { out }),
      });
    });
}
