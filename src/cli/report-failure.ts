import { CommanderError } from 'commander';
import { CliError, EXIT_CODE } from './cli-error.js';

/** Says on standard error what went wrong, and returns the exit code. The stack is for those who ask for it. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return exitCodeOf(error);
  const isForeseen = error instanceof CliError;
  process.stderr.write(`berth: ${isForeseen ? error.message : foreign(error)}\n`);
  if (process.env['BERTH_DEBUG'] === '1' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return isForeseen ? error.exitCode : EXIT_CODE.failed;
}

/** Commander has written its own line already. */
function exitCodeOf({ code }: CommanderError): number {
  return code === 'commander.helpDisplayed' || code === 'commander.version' ? EXIT_CODE.done : EXIT_CODE.usage;
}

function foreign(error: unknown): string {
  const hint = process.env['BERTH_DEBUG'] === '1' ? '' : ' (BERTH_DEBUG=1 shows where)';
  return `${error instanceof Error ? error.message : String(error)}${hint}`;
}
