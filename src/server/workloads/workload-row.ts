import type { Epoch, Phase } from '../../trainer/contract.js';
import type { WorkloadDocument, WorkloadState } from './workload.schema.js';

/** What `WORKLOAD_ROWS` selects: a workload with its pods, charges, progress and result, as PostgreSQL gives it. */
export interface WorkloadRow {
  readonly uid: string;
  readonly team: string;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly spec: WorkloadDocument['spec'];
  readonly created_at: Date;
  readonly created_by: string;
  readonly cancel_requested_at: Date | null;
  readonly state: WorkloadState;
  readonly incarnation: number;
  readonly round: number;
  readonly retries: number;
  readonly reason: string;
  readonly message: string;
  readonly planned_start: Date | null;
  readonly last_eviction: { readonly at: string; readonly reason: string; readonly message: string } | null;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly cursor: string;
  readonly pods: readonly PodRow[] | null;
  readonly charged: Record<string, number> | null;
  readonly progress: ProgressRow | null;
  readonly result: Record<string, number> | null;
}

export interface PodRow {
  readonly name: string;
  readonly pod_set: string;
  readonly index: number;
  readonly rank: number;
  readonly incarnation: number;
  readonly node: string;
  readonly slots: readonly number[] | null;
  readonly state: 'waiting' | 'expected' | 'bound' | 'started' | 'leaving' | 'ended' | 'gone' | 'refused';
  readonly exit_code: number | null;
  readonly detail: string | null;
  readonly found: { readonly namespace: string; readonly name: string; readonly uid: string } | null;
}

export interface ProgressRow {
  readonly body: {
    readonly phase: Phase;
    readonly step: number;
    readonly stepsTotal: number;
    readonly samplesPerSecond?: number;
    readonly remainingSeconds?: number;
    readonly backend?: string;
    readonly checkpoint?: { readonly step: number };
  };
  readonly epochs: readonly Epoch[];
  readonly reported_at: string;
}

/** Complete with `WHERE …`, on the alias `w`. The cursor is exact to the microsecond, which a Date is not. */
export const WORKLOAD_ROWS = `
SELECT w.uid, w.team, w.name, w.labels, w.spec, w.created_at, w.created_by, w.cancel_requested_at, w.state,
  w.incarnation, w.round, w.retries, w.reason, w.message, w.planned_start, w.last_eviction, w.started_at, w.finished_at,
  (extract(epoch FROM w.created_at) * 1000000)::bigint || '|' || w.uid AS cursor, pods.pods, charged.charged, r.body -> 'test' AS result,
  CASE WHEN p.workload IS NULL THEN NULL
    ELSE jsonb_build_object('body', p.body, 'epochs', p.epochs, 'reported_at', p.reported_at) END AS progress
FROM workloads w
LEFT JOIN progress p ON p.workload = w.uid AND p.rank = 0
LEFT JOIN reports r ON r.workload = w.uid
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('name', d.name, 'pod_set', d.pod_set, 'index', d.index, 'rank', d.rank,
    'incarnation', d.incarnation, 'node', d.node, 'state', d.state, 'exit_code', d.exit_code, 'detail', d.detail,
    'found', w.found #> ARRAY['pods', d.pod_set, d.index::text],
    'slots', (SELECT jsonb_agg(s.slot ORDER BY s.slot) FROM pod_slots s WHERE s.pod = d.name)) ORDER BY d.rank) AS pods
  FROM pods d WHERE d.workload = w.uid AND d.incarnation = w.incarnation
) pods ON true
LEFT JOIN LATERAL (
  SELECT jsonb_object_agg(g.flavor, g.milli) AS charged
  FROM (SELECT flavor, sum(milli) AS milli FROM charges c WHERE c.workload = w.uid GROUP BY flavor) g
) charged ON true`;
