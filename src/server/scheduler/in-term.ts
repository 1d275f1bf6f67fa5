import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { StaleEpochError, type Leadership } from './ledger.js';

/** What PostgreSQL says of a statement that it refused. */
export interface DatabaseRefusal {
  readonly sqlState: string;
  readonly constraint: string | undefined;
  readonly detail: string | undefined;
}

/** Runs `work` in one transaction of this term; throws `StaleEpochError` when the term has ended. */
export async function inTerm<T>(
  database: DataSource,
  { epoch }: Leadership,
  work: (transaction: EntityManager) => Promise<T>,
): Promise<T> {
  try {
    return await database.transaction(async (transaction) => {
      // Holds the row until the commit: the next term cannot begin in between.
      await transaction.query('SELECT assert_epoch($1)', [epoch]);
      return work(transaction);
    });
  } catch (error) {
    if (refusalOf(error)?.sqlState === 'BE001') throw new StaleEpochError(epoch);
    throw error;
  }
}

/** `undefined`: the error is not PostgreSQL's. */
export function refusalOf(error: unknown): DatabaseRefusal | undefined {
  if (!(error instanceof QueryFailedError)) return undefined;
  const { code, constraint, detail } = error.driverError as { code?: string; constraint?: string; detail?: string };
  return code === undefined ? undefined : { sqlState: code, constraint, detail };
}
