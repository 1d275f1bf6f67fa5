import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A pod may hold a partition of a device: which, and where on the device it lies. */
export class Partitions1790000002000 implements MigrationInterface {
  name = 'Partitions1790000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PARTITIONS);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const PARTITIONS = `
ALTER TABLE pod_slots
  ADD COLUMN profile text,
  -- the eighth of the device's memory at which it begins
  ADD COLUMN position integer CHECK (position BETWEEN 0 AND 7),
  ADD CONSTRAINT pod_slots_partition CHECK ((profile IS NULL) = (position IS NULL)
    AND (position IS NULL OR position * 125 + milli <= 1000));`;
