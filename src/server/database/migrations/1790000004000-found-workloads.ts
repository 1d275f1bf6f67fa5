import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Workloads whose pods others made: the scheduler finds them, and nobody submits them. */
export class FoundWorkloads1790000004000 implements MigrationInterface {
  name = 'FoundWorkloads1790000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FOUND);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const FOUND = `
-- {spec: as the core knows it, pods: by pod set the pods in the order of their index}; absent: it was submitted
ALTER TABLE workloads ADD COLUMN found jsonb;
-- whoever made the pods names them, and a name comes again
DROP INDEX workloads_name;
CREATE UNIQUE INDEX workloads_name ON workloads (team, name) WHERE deleted_at IS NULL AND found IS NULL;
CREATE INDEX workloads_found ON workloads (uid) WHERE found IS NOT NULL AND finished_at IS NULL;`;
