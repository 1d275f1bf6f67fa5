import type { DataSource, EntityManager } from 'typeorm';
import type { NodeState, PodEnd, PodRef, SlotShare } from '../../core/index.js';
import { nodeSpecOf, type StoredNodeSpec } from '../fleet/stored-node-spec.js';
import { readLedgerView } from './ledger-view.js';
import type { CommandCursor, LedgerState, LivePod, LivePodEnd } from './ledger.js';
import { readQueues } from './queue-rows.js';
import { SLOTS_OF_POD } from './slots-of-pod.js';
import { TOLD_PROGRESS_COLUMNS, TOLD_PROGRESS_JOIN, toldProgressOf, type ToldProgressRow } from './told-progress.js';
import { WORKLOAD_SPEC_COLUMNS, workloadSpecOf, type WorkloadSpecRow } from './workload-spec-of.js';

interface LivePodRow {
  readonly name: string;
  readonly workload: string;
  readonly incarnation: number;
  readonly pod_set: string;
  readonly index: number;
  readonly node: string;
  readonly cpu_milli: string;
  readonly memory_mib: string;
  readonly claimed: boolean;
  readonly occupied: boolean;
  readonly state: LivePod['state'] | 'waiting' | 'ended' | 'gone' | 'refused';
  readonly waits_for: readonly PodRef[] | null;
  readonly outcome: PodEnd['outcome'] | null;
  readonly blame: PodEnd['blame'] | null;
  readonly refusal: 'elsewhere' | 'never' | null;
  readonly exit_code: number | null;
  readonly detail: string | null;
  readonly slots: readonly SlotShare[] | null;
}

type LoadedWorkloadRow = WorkloadSpecRow &
  ToldProgressRow & { readonly cancel_requested: boolean; readonly incarnation_at: Date | null };

/** Reads all that a core is rebuilt from, in one snapshot. */
export async function loadLedger(database: DataSource): Promise<LedgerState> {
  return database.transaction('REPEATABLE READ', async (transaction) => ({
    queues: await readQueues(transaction),
    nodes: await readNodes(transaction),
    workloads: await readWorkloads(transaction),
    pods: await readPods(transaction),
    view: await readLedgerView(transaction),
    cursor: await readCursor(transaction),
  }));
}

async function readNodes(transaction: EntityManager): Promise<LedgerState['nodes']> {
  const rows = await transaction.query<
    {
      spec: StoredNodeSpec;
      state: NodeState;
      cause: string;
      unschedulable: boolean;
      removed: boolean;
      foreign: LedgerState['nodes'][number]['foreign'];
    }[]
  >(
    `SELECT spec, state, cause, unschedulable, removed_at IS NOT NULL AS removed,
       jsonb_build_object('slots', foreign_slots, 'use', jsonb_build_object(
         'cpuMilli', foreign_cpu_milli, 'memoryMib', foreign_memory_mib, 'pods', foreign_pods)) AS foreign
     FROM nodes
     WHERE removed_at IS NULL OR pods_claimed > 0 OR pods_occupied > 0 ORDER BY name COLLATE "C"`,
  );
  return rows.map(({ spec, ...seen }) => ({ ...seen, spec: nodeSpecOf(spec) }));
}

async function readWorkloads(transaction: EntityManager): Promise<LedgerState['workloads']> {
  const rows: LoadedWorkloadRow[] = await transaction.query(
    `SELECT ${WORKLOAD_SPEC_COLUMNS}, w.cancel_requested_at IS NOT NULL AS cancel_requested, w.incarnation_at,
       ${TOLD_PROGRESS_COLUMNS}
     FROM workloads w ${TOLD_PROGRESS_JOIN} WHERE w.finished_at IS NULL ORDER BY w.created_at, w.uid`,
  );
  return rows.map((row) => {
    const progress = toldProgressOf(row);
    return {
      spec: workloadSpecOf(row),
      cancelRequested: row.cancel_requested,
      ...(row.incarnation_at === null ? {} : { startedAtMs: row.incarnation_at.getTime() }),
      ...(progress === undefined ? {} : { progress }),
    };
  });
}

async function readPods(transaction: EntityManager): Promise<readonly LivePod[]> {
  const rows: LivePodRow[] = await transaction.query(
    `SELECT p.name, p.workload, p.incarnation, p.pod_set, p.index, p.node, p.cpu_milli, p.memory_mib, p.claimed,
       p.occupied, p.state, p.outcome, p.blame, p.refusal, p.exit_code, p.detail, slots.slots,
       (SELECT jsonb_agg(jsonb_build_object('workload', v.workload, 'incarnation', v.incarnation, 'podSet', v.pod_set,
         'index', v.index) ORDER BY v.name) FROM pods v WHERE v.name = ANY(p.waits_for) AND v.occupied) AS waits_for
     FROM pods p
     ${SLOTS_OF_POD}
     WHERE p.claimed OR p.occupied ORDER BY p.claimed, p.ended_at NULLS FIRST, p.name COLLATE "C"`,
  );
  return rows.map(livePodOf);
}

function livePodOf(row: LivePodRow): LivePod {
  const { name, workload, incarnation, pod_set: podSet, index, node, slots, claimed, state } = row;
  const end = endOf(row);
  return {
    name,
    seat: {
      pod: { workload, incarnation, podSet, index },
      node,
      slots: slots ?? [],
      cpuMilli: Number(row.cpu_milli),
      memoryMib: Number(row.memory_mib),
    },
    claimed,
    state: stateBeforeEnd(state),
    ...(row.waits_for === null ? {} : { waitsFor: row.waits_for }),
    ...(end === undefined ? {} : { end }),
  };
}

function stateBeforeEnd(state: LivePodRow['state']): LivePod['state'] {
  switch (state) {
    case 'ended':
    case 'gone':
      return 'started';
    case 'waiting':
    case 'refused':
      return 'expected';
    case 'expected':
    case 'bound':
    case 'started':
    case 'leaving':
      return state;
  }
}

function endOf({ outcome, blame, exit_code, refusal, detail, occupied }: LivePodRow): LivePodEnd | undefined {
  if (refusal !== null) return { kind: 'refused', why: detail ?? '', retry: refusal };
  if (outcome === null || blame === null) return undefined;
  return {
    kind: 'ended',
    end: { outcome, blame, ...(exit_code === null ? {} : { exitCode: exit_code }) },
    isGone: !occupied,
  };
}

/** All transactions below the snapshot's xmin are over and were seen; later ones were seen or will be read. */
async function readCursor(transaction: EntityManager): Promise<CommandCursor> {
  const rows: CommandCursor[] = await transaction.query(
    `SELECT pg_snapshot_xmin(s)::text AS txid, '0' AS seq, s::text AS loaded FROM pg_current_snapshot() s`,
  );
  const [cursor] = rows;
  if (cursor === undefined) throw new Error('the database has no snapshot');
  return cursor;
}
