/** How the network says it, and whether only for the attempt to connect: a missing file is no missing database. */
const NETWORK_CODES: ReadonlyMap<unknown, 'always' | 'when-connecting'> = new Map([
  ['ECONNREFUSED', 'always'],
  ['ECONNRESET', 'always'],
  ['EPIPE', 'always'],
  ['ETIMEDOUT', 'always'],
  ['EHOSTUNREACH', 'always'],
  ['ENETUNREACH', 'always'],
  ['ENOTFOUND', 'always'],
  ['EAI_AGAIN', 'always'],
  ['ENOENT', 'when-connecting'],
]);

/**
 * Connection exceptions, insufficient resources, a server that stops or starts, and one that takes no writes; and what
 * took too long or met another transaction: cancelled, lock not available, serialization failure, deadlock.
 */
const SQL_STATES = /^(08...|53...|57P0.|25006|57014|55P03|40001|40P01)$/;

/** `pg` and its pool give these no code. */
const SENTENCES =
  /^(connection terminated|timeout exceeded when trying to connect|timeout expired|query read timeout|client has encountered a connection error|client was closed and is not queryable)/i;

/** Errors wrap errors, but not for ever. */
const DEPTH_MAX = 5;

/** True when the database could not be asked, or could not take the write: the same request may succeed later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return saysSo(error, DEPTH_MAX);
}

function saysSo(error: unknown, depthLeft: number): boolean {
  // Not by `instanceof`: errors of the network are made outside of the context that a test runs in.
  if (typeof error !== 'object' || error === null || depthLeft === 0) return false;
  const { code, syscall, message, driverError, cause, errors } = error as Readonly<Record<string, unknown>>;
  const network = NETWORK_CODES.get(code);
  if (network === 'always' || (network === 'when-connecting' && syscall === 'connect')) return true;
  if (typeof code === 'string' && SQL_STATES.test(code)) return true;
  if (typeof message === 'string' && SENTENCES.test(message)) return true;
  const within = [driverError, cause, ...(Array.isArray(errors) ? (errors as readonly unknown[]) : [])];
  return within.some((inner) => saysSo(inner, depthLeft - 1));
}
