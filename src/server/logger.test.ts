import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { PinoLogger } from './logger.js';

describe(PinoLogger.name, () => {
  it('says of an error what it is and where, and nothing that it carries', () => {
    const lines: string[] = [];
    const logger = new PinoLogger('info', { write: (line) => lines.push(line) });
    const driverError = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (spec)=(s3cret)' });
    const error = new QueryFailedError('INSERT', ['s3cret'], driverError);
    logger.error({ message: 'request failed', url: '/v1/workloads', error }, undefined, 'http');
    expect(lines.join('')).not.toContain('s3cret');
    expect(JSON.parse(lines.join(''))).toMatchObject({
      context: 'http',
      msg: 'request failed',
      url: '/v1/workloads',
      err: { name: 'QueryFailedError', code: '23505', message: 'duplicate key', stack: expect.any(String) },
    });
  });
});
