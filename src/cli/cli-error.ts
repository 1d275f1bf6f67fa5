/** What `berth` ends with. `berth train` has the codes of the trainer's contract instead, as in a pod. */
/** `interrupted`: 128 and the number of SIGINT, as shells have it. */
export const EXIT_CODE = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** A failure that a person can put right: its message names the cause and the next step, and gets no stack. */
export class CliError extends Error {
  override name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: number = EXIT_CODE.failed,
  ) {
    super(message);
  }
}

/** The command was typed wrong, or a file that it names is wrong: nothing was done. */
export class UsageError extends CliError {
  override name = 'UsageError';

  constructor(message: string) {
    super(message, EXIT_CODE.usage);
  }
}
