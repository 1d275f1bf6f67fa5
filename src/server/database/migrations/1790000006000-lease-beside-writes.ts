import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A lease is renewed beside a long write of its own term. An epoch that is the key of its row is changed under a lock that
 * waits for all who share the key; an expiry is no part of the key, and is changed beside them.
 */
export class LeaseBesideWrites1790000006000 implements MigrationInterface {
  name = 'LeaseBesideWrites1790000006000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(LEASE_BESIDE_WRITES);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const LEASE_BESIDE_WRITES = `
ALTER TABLE leadership ADD CONSTRAINT leadership_epoch UNIQUE (epoch);
CREATE OR REPLACE FUNCTION assert_epoch(writer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE current bigint;
BEGIN
  SELECT epoch INTO current FROM leadership WHERE id = 1 FOR KEY SHARE;
  IF writer IS DISTINCT FROM current THEN
    RAISE EXCEPTION 'epoch % is not the current epoch %', writer, current USING ERRCODE = 'BE001';
  END IF;
END $$;
`;
