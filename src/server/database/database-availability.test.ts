import { describe, expect, it } from '@jest/globals';
import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from './database-availability.js';

function withFacts(message: string, facts: Readonly<Record<string, string>>): Error {
  return Object.assign(new Error(message), facts);
}

function sqlState(code: string): Error {
  return Object.assign(new DatabaseError('said by the server', 0, 'error'), { code });
}

const cases: Record<string, { error: unknown; want: boolean }> = {
  'no server at the port': { error: withFacts('connect', { code: 'ECONNREFUSED', syscall: 'connect' }), want: true },
  'no socket': { error: withFacts('connect', { code: 'ENOENT', syscall: 'connect' }), want: true },
  'a file that is missing': { error: withFacts('open', { code: 'ENOENT', syscall: 'open' }), want: false },
  'a connection that was reset': { error: withFacts('read', { code: 'ECONNRESET' }), want: true },
  'a server killed in the middle of a query': { error: new Error('Connection terminated unexpectedly'), want: true },
  'a pool that gives no connection in time': {
    error: new Error('timeout exceeded when trying to connect'),
    want: true,
  },
  'a client that broke before': {
    error: new Error('Client has encountered a connection error and is not queryable'),
    want: true,
  },
  'both addresses of a name refused': {
    error: new AggregateError([withFacts('connect', { code: 'ECONNREFUSED' })]),
    want: true,
  },
  'stopped by an administrator, through TypeORM': {
    error: new QueryFailedError('SELECT 1', [], sqlState('57P01')),
    want: true,
  },
  'still starting': { error: sqlState('57P03'), want: true },
  'no connection left': { error: sqlState('53300'), want: true },
  'disk of the database full': { error: sqlState('53100'), want: true },
  'a replica that takes no writes': { error: sqlState('25006'), want: true },
  'a connection exception': { error: sqlState('08006'), want: true },
  'wrapped by us': { error: new Error('cannot submit', { cause: sqlState('57P02') }), want: true },
  'a query that took too long': { error: sqlState('57014'), want: true },
  'a lock that was not free in time': { error: sqlState('55P03'), want: true },
  'a transaction that met another': { error: sqlState('40001'), want: true },
  'a deadlock': { error: sqlState('40P01'), want: true },
  'a constraint that was violated, through TypeORM': {
    error: new QueryFailedError('INSERT', [], sqlState('23505')),
    want: false,
  },
  'a defect of ours': { error: new TypeError('x is undefined'), want: false },
  'no error at all': { error: 'Connection terminated unexpectedly', want: false },
};

describe(isDatabaseUnavailable.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { error, want }) => {
    expect(isDatabaseUnavailable(error)).toBe(want);
  });

  it('ends when errors cause each other', () => {
    const error = new Error('first');
    error.cause = new Error('second', { cause: error });
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});
