import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One workload may make room for another: a pod claims what another still occupies, waits for it to be gone, and
 * occupies its place only then. What the scheduler knows of running work, and tells of it, has a place.
 */
export class WaitingPods1790000001000 implements MigrationInterface {
  name = 'WaitingPods1790000001000';

  async up(runner: QueryRunner): Promise<void> {
    for (const part of [WAITING, ADMISSION, KNOWLEDGE, PROGRESS]) await runner.query(part);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const WAITING = `
-- while waiting: pods of its node that must be gone before it is created
ALTER TABLE pods ADD COLUMN waits_for text[];
ALTER TABLE pods DROP CONSTRAINT pods_state_check;
ALTER TABLE pods ADD CONSTRAINT pods_state_check CHECK (state IN
  ('waiting', 'expected', 'bound', 'started', 'leaving', 'ended', 'gone', 'refused'));
ALTER TABLE pods ADD CONSTRAINT pods_waiting CHECK (state <> 'waiting' OR (claimed AND NOT occupied AND waits_for IS NOT NULL));
CREATE INDEX pods_waiting_on ON pods (node) WHERE state = 'waiting';`;

/**
 * Total: a pod that would not fit, against all that was decided, goes on waiting and is given back at its deadline;
 * the evidence that made us look must be stored in any case.
 */
const ADMISSION = `
CREATE FUNCTION admit_waiting_pods(on_nodes text[]) RETURNS TABLE (pod text, of_workload uuid, on_node text)
LANGUAGE plpgsql AS $$
DECLARE p pods%ROWTYPE;
BEGIN
  FOR p IN SELECT * FROM pods w WHERE w.state = 'waiting' AND w.node = ANY(on_nodes)
    AND NOT EXISTS (SELECT FROM pods v WHERE v.name = ANY(w.waits_for) AND v.occupied)
    ORDER BY w.name COLLATE "C" FOR UPDATE
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM nodes n WHERE n.name = p.node AND (n.cpu_occupied + p.cpu_milli > n.cpu_milli
      OR n.memory_occupied + p.memory_mib > n.memory_mib OR n.pods_occupied >= n.pods_max));
    CONTINUE WHEN EXISTS (SELECT FROM pod_slots h JOIN slots s ON s.node = h.node AND s.slot = h.slot
      WHERE h.pod = p.name AND s.occupied_milli + h.milli > 1000);
    UPDATE pods SET state = 'expected', occupied = true, waits_for = NULL WHERE name = p.name;
    pod := p.name;
    of_workload := p.workload;
    on_node := p.node;
    RETURN NEXT;
  END LOOP;
END $$;`;

const KNOWLEDGE = `
ALTER TABLE workloads
  -- when its present incarnation was decided, by the clock of the scheduler
  ADD COLUMN incarnation_at timestamptz,
  -- for display, while it waits: when it is expected to start
  ADD COLUMN planned_start timestamptz,
  -- for display: when, why and for whom it last had to stop
  ADD COLUMN last_eviction jsonb;`;

const PROGRESS = `
ALTER TABLE commands DROP CONSTRAINT commands_kind_check;
ALTER TABLE commands ADD CONSTRAINT commands_kind_check CHECK (kind IN ('workload-submitted', 'workload-cancelled',
  'workload-progress', 'node-cordoned', 'node-uncordoned', 'quotas-changed'));
CREATE INDEX commands_progress ON commands (workload) WHERE kind = 'workload-progress';
ALTER TABLE progress
  -- when the checkpoint that it names was first reported
  ADD COLUMN checkpoint_at timestamptz,
  -- what the scheduler was told last: a core that is rebuilt is told no more and no less
  ADD COLUMN told_at timestamptz,
  ADD COLUMN told_incarnation integer,
  ADD COLUMN told_checkpoint_at timestamptz,
  ADD COLUMN told_end_at timestamptz;`;
