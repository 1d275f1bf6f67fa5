import { describe, expect, it } from '@jest/globals';
import { databaseErrorOf } from './database-error.js';

describe(databaseErrorOf.name, () => {
  it('says what PostgreSQL said', () => {
    const error = databaseErrorOf('start-failed', 'PostgreSQL does not start', 'FATAL:  out of luck');
    expect(error).toMatchObject({ code: 'start-failed', message: 'PostgreSQL does not start: FATAL:  out of luck' });
  });

  it.each(['could not write file: No space left on device', 'Disk quota exceeded'])(
    'knows a full disk: %s',
    (words) => {
      expect(databaseErrorOf('init-failed', 'PostgreSQL does not start', words)).toMatchObject({
        code: 'disk-full',
        message: 'PostgreSQL does not start: the disk is full. Free some space and start again.',
      });
    },
  );
});
