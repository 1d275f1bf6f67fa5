import { EXIT } from './contract.js';

/** A failure that a person can act on: one sentence, and the exit code that says whose fault it is. */
export class TrainerError extends Error {
  constructor(
    readonly exitCode: number,
    message: string,
  ) {
    super(message);
    this.name = TrainerError.name;
  }
}

/** The exit code and the sentence for anything thrown: what nobody foresaw is `internal`. */
export function describeFailure(error: unknown): { readonly exitCode: number; readonly message: string } {
  if (error instanceof TrainerError) return { exitCode: error.exitCode, message: error.message };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { exitCode: EXIT.internal, message };
}

/** Such as ENOENT or Z_DATA_ERROR; empty where there is none. */
export function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

export function unreachable(value: never): never {
  throw new Error(`a case was forgotten: ${JSON.stringify(value)}`);
}
