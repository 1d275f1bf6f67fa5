/** What is thrown when the core contradicts itself: a bug, never an input. */
export class InvariantError extends Error {
  constructor(
    message: string,
    readonly facts: Readonly<Record<string, unknown>>,
  ) {
    super(`${message} ${JSON.stringify(facts)}`);
    this.name = 'InvariantError';
  }
}

/** Stays on in production: a scheduler that contradicts itself must stop, not go on with wrong accounts. */
export function invariant(
  condition: boolean,
  message: string,
  facts: Readonly<Record<string, unknown>> = {},
): asserts condition {
  if (!condition) throw new InvariantError(message, facts);
}

/** The end of a switch over a union: a new member is a compile error here. */
export function unreachable(value: never): never {
  throw new InvariantError('a value outside its type', { value });
}
