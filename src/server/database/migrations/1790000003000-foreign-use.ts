import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pods of others take room on a node, too. What they take is what was seen, so it may be more than there is; only what
 * we claim or place beside it is refused, with the codes that we refuse one another with.
 */
export class ForeignUse1790000003000 implements MigrationInterface {
  name = 'ForeignUse1790000003000';

  async up(runner: QueryRunner): Promise<void> {
    for (const part of [FOREIGN_USE, COUNTING, ADMISSION]) await runner.query(part);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const FOREIGN_USE = `
ALTER TABLE nodes
  ADD COLUMN foreign_cpu_milli bigint NOT NULL DEFAULT 0 CHECK (foreign_cpu_milli >= 0),
  ADD COLUMN foreign_memory_mib bigint NOT NULL DEFAULT 0 CHECK (foreign_memory_mib >= 0),
  ADD COLUMN foreign_pods integer NOT NULL DEFAULT 0 CHECK (foreign_pods >= 0),
  -- by number, rising; a number that the node does not have closes nothing
  ADD COLUMN foreign_slots integer[] NOT NULL DEFAULT '{}';`;

/** As before, beside what others take. */
const COUNTING = `
CREATE OR REPLACE FUNCTION count_pod() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  claim integer := NEW.claimed::int - OLD.claimed::int;
  occupancy integer := NEW.occupied::int - OLD.occupied::int;
  n nodes%ROWTYPE;
BEGIN
  UPDATE nodes SET
    cpu_claimed = cpu_claimed + claim * NEW.cpu_milli,
    memory_claimed = memory_claimed + claim * NEW.memory_mib,
    pods_claimed = pods_claimed + claim,
    cpu_occupied = cpu_occupied + occupancy * NEW.cpu_milli,
    memory_occupied = memory_occupied + occupancy * NEW.memory_mib,
    pods_occupied = pods_occupied + occupancy
  WHERE name = NEW.node RETURNING * INTO n;
  IF claim > 0 AND (n.state <> 'healthy' OR n.unschedulable OR n.removed_at IS NOT NULL
    OR (n.spec ->> 'unschedulable')::boolean) THEN
    RAISE EXCEPTION 'node % takes no work', n.name USING ERRCODE = 'BE003', DETAIL = n.name;
  END IF;
  IF (claim > 0 AND (n.cpu_claimed + n.foreign_cpu_milli > n.cpu_milli
    OR n.memory_claimed + n.foreign_memory_mib > n.memory_mib OR n.pods_claimed + n.foreign_pods > n.pods_max))
  OR (occupancy > 0 AND (n.cpu_occupied + n.foreign_cpu_milli > n.cpu_milli
    OR n.memory_occupied + n.foreign_memory_mib > n.memory_mib OR n.pods_occupied + n.foreign_pods > n.pods_max))
  THEN
    RAISE EXCEPTION 'node % is over its capacity', n.name USING ERRCODE = 'BE002', DETAIL = n.name;
  END IF;
  IF (claim > 0 OR occupancy > 0)
    AND EXISTS (SELECT FROM pod_slots p WHERE p.pod = NEW.name AND p.slot = ANY (n.foreign_slots)) THEN
    RAISE EXCEPTION 'a pod of another has a slot of pod %', NEW.name USING ERRCODE = 'check_violation',
      CONSTRAINT = CASE WHEN claim > 0 THEN 'slots_claims' ELSE 'slots_occupancies' END;
  END IF;
  UPDATE slots s SET
    claimed_milli = claimed_milli + claim * p.milli,
    occupied_milli = occupied_milli + occupancy * p.milli
  FROM pod_slots p WHERE p.pod = NEW.name AND s.node = p.node AND s.slot = p.slot;
  -- what is stopped, or gone, before it was created must not be created after that
  IF claim < 0 OR occupancy < 0 THEN
    UPDATE outbox SET state = 'dropped' WHERE pod = NEW.name AND kind = 'create-pod' AND state = 'pending';
  END IF;
  RETURN NULL;
END $$;`;

/** Total, as before: what does not fit beside others goes on waiting, and is looked at again when they leave. */
const ADMISSION = `
CREATE OR REPLACE FUNCTION admit_waiting_pods(on_nodes text[])
RETURNS TABLE (pod text, of_workload uuid, on_node text) LANGUAGE plpgsql AS $$
DECLARE p pods%ROWTYPE;
BEGIN
  FOR p IN SELECT * FROM pods w WHERE w.state = 'waiting' AND w.node = ANY(on_nodes)
    AND NOT EXISTS (SELECT FROM pods v WHERE v.name = ANY(w.waits_for) AND v.occupied)
    ORDER BY w.name COLLATE "C" FOR UPDATE
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM nodes n WHERE n.name = p.node
      AND (n.cpu_occupied + n.foreign_cpu_milli + p.cpu_milli > n.cpu_milli
        OR n.memory_occupied + n.foreign_memory_mib + p.memory_mib > n.memory_mib
        OR n.pods_occupied + n.foreign_pods >= n.pods_max
        OR EXISTS (SELECT FROM pod_slots h WHERE h.pod = p.name AND h.slot = ANY (n.foreign_slots))));
    CONTINUE WHEN EXISTS (SELECT FROM pod_slots h JOIN slots s ON s.node = h.node AND s.slot = h.slot
      WHERE h.pod = p.name AND s.occupied_milli + h.milli > 1000);
    UPDATE pods SET state = 'expected', occupied = true, waits_for = NULL WHERE name = p.name;
    pod := p.name;
    of_workload := p.workload;
    on_node := p.node;
    RETURN NEXT;
  END LOOP;
END $$;`;
