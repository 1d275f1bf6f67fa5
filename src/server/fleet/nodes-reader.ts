import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { NodeState } from '../../core/index.js';
import type { Node, Slot } from './fleet.schema.js';
import { nodeSpecOf, type StoredNodeSpec } from './stored-node-spec.js';

interface NodeRow {
  readonly name: string;
  readonly spec: StoredNodeSpec;
  readonly state: NodeState;
  readonly cause: string;
  readonly unschedulable: boolean;
  readonly cpu_milli: string;
  readonly cpu_claimed: string;
  readonly memory_mib: string;
  readonly memory_claimed: string;
  readonly pods_claimed: number;
  readonly slots: readonly SlotRow[] | null;
}

interface SlotRow {
  readonly slot: number;
  readonly claimed_milli: number;
  readonly holders: Slot['holders'] | null;
}

const NODE_ROWS = `
SELECT n.name, n.spec, n.state, n.cause, n.unschedulable, n.cpu_milli, n.cpu_claimed, n.memory_mib, n.memory_claimed,
  n.pods_claimed, slots.slots
FROM nodes n
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('slot', s.slot, 'claimed_milli', s.claimed_milli, 'holders', held.holders)
    ORDER BY s.slot) AS slots
  FROM slots s
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('workload', w.uid, 'workloadName', w.name, 'team', w.team, 'pod', p.name,
      'milli', ps.milli) ORDER BY p.name) AS holders
    FROM pod_slots ps JOIN pods p ON p.name = ps.pod AND p.claimed JOIN workloads w ON w.uid = p.workload
    WHERE s.claimed_milli > 0 AND ps.node = s.node AND ps.slot = s.slot
  ) held ON true
  WHERE s.node = n.name
) slots ON true
WHERE n.removed_at IS NULL AND ($1::text[] IS NULL OR n.name = ANY($1))
ORDER BY n.name COLLATE "C"`;

/** Reads nodes with the holders of their slots, by name. */
@Injectable()
export class NodesReader {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** All, or those named. */
  async list(names?: readonly string[]): Promise<readonly Node[]> {
    const rows: NodeRow[] = await this.database.query(NODE_ROWS, [names ?? null]);
    return rows.map(nodeOf);
  }
}

function nodeOf(row: NodeRow): Node {
  const { topology, labels, accelerators } = nodeSpecOf(row.spec);
  const modelOfSlot = accelerators.flatMap(({ model, count }) => Array.from({ length: count }, () => model));
  const models = [...new Set(modelOfSlot)];
  return {
    name: row.name,
    state: row.state,
    cause: row.cause,
    unschedulable: row.unschedulable,
    topology,
    labels,
    ...(models.length === 1 ? { model: models[0] } : {}),
    models,
    slots: (row.slots ?? []).map(({ slot, claimed_milli, holders }) => ({
      slot,
      ...(modelOfSlot[slot] === undefined ? {} : { model: modelOfSlot[slot] }),
      claimedMilli: claimed_milli,
      holders: holders ?? [],
    })),
    cpuMilli: Number(row.cpu_milli),
    cpuClaimed: Number(row.cpu_claimed),
    memoryMib: Number(row.memory_mib),
    memoryClaimed: Number(row.memory_claimed),
    pods: row.pods_claimed,
  };
}
