import type { DataSource, EntityManager } from 'typeorm';
import type { Observation } from '../../cluster/cluster.js';
import { slotTotal, type NodeName, type PodRef } from '../../core/index.js';
import { appendAudits, type AuditEntry } from '../audit/audit-entry.js';
import { unreachable } from '../unreachable.js';
import { admitWaitingPods } from './admit-waiting-pods.js';
import { followPods } from './follow-pods.js';
import { inTerm } from './in-term.js';
import type { Leadership } from './ledger.js';
import { storeFoundWorkloads, storeWithdrawnWorkloads } from './store-found-workloads.js';
import { podNameOf } from './pod-name.js';
import { storableText } from '../../documents/storable-text.js';
import { tellChanges } from './tell-changes.js';

type Of<Kind extends Observation['kind']> = Extract<Observation, { readonly kind: Kind }>;

/** What a change touched. */
interface Touched {
  readonly nodes: readonly NodeName[];
  readonly workloads: readonly string[];
  /** Found workloads that are none. */
  readonly unknown?: ReadonlySet<string>;
  readonly audits?: readonly AuditEntry[];
}

interface TouchedPod {
  readonly node: NodeName;
  readonly workload: string;
}

/**
 * Stores what the driver saw, in order, and the workload states that follow. Observations of one kind that come one
 * after the other are stored by one statement. What is not news, or comes after the pod is gone, changes nothing.
 */
export async function storeObservations(
  database: DataSource,
  leadership: Leadership,
  observations: readonly Observation[],
): Promise<ReadonlySet<string>> {
  return inTerm(database, leadership, async (transaction) => {
    const nodes = new Set<NodeName>();
    const workloads = new Set<string>();
    const unknown = new Set<string>();
    const audits: AuditEntry[] = [];
    for (const run of runsOf(observations)) {
      const touched = await storeRun(transaction, leadership.epoch, run);
      for (const node of touched.nodes) nodes.add(node);
      for (const workload of touched.workloads) workloads.add(workload);
      for (const workload of touched.unknown ?? []) unknown.add(workload);
      audits.push(...(touched.audits ?? []));
    }
    await admitWaitingPods(transaction, [...nodes]);
    audits.push(...(await followPods(transaction, [...workloads])));
    await appendAudits(transaction, audits);
    await tellChanges(transaction, [
      ...[...workloads].map((uid) => `workload:${uid}`),
      ...[...nodes].map((name) => `node:${name}`),
    ]);
    return unknown;
  });
}

function runsOf(observations: readonly Observation[]): readonly (readonly [Observation, ...Observation[]])[] {
  const runs: [Observation, ...Observation[]][] = [];
  for (const observation of observations) {
    const run = runs.at(-1);
    const before = runs.at(-2);
    if (run?.[0].kind === observation.kind) run.push(observation);
    // Pods are bound and start in turns, and one does not care for another: all that are bound come before.
    else if (observation.kind === 'pod-bound' && run?.[0].kind === 'pod-started' && before?.[0].kind === 'pod-bound') {
      before.push(observation);
    } else runs.push([observation]);
  }
  return runs;
}

/** All observations of a run have the kind of its first. */
function storeRun(
  transaction: EntityManager,
  epoch: number,
  run: readonly [Observation, ...Observation[]],
): Promise<Touched> {
  const [{ kind }] = run;
  switch (kind) {
    case 'node-seen':
      return seeNodes(transaction, ofKind(run, kind));
    case 'node-removed':
      return removeNodes(transaction, namesOf(ofKind(run, kind)));
    case 'node-state-changed':
      return changeNodeStates(transaction, ofKind(run, kind));
    case 'node-fenced':
      return emptyNodes(transaction, namesOf(ofKind(run, kind)));
    case 'foreign-use-seen':
      return seeForeignUse(transaction, ofKind(run, kind));
    case 'pod-bound':
      return bindPods(transaction, epoch, ofKind(run, kind));
    case 'pod-started':
      return startPods(transaction, ofKind(run, kind));
    case 'pod-ended':
      return endPods(transaction, ofKind(run, kind));
    case 'pod-gone':
      return losePods(transaction, ofKind(run, kind));
    case 'workload-found':
      return findWorkloads(transaction, ofKind(run, kind));
    case 'workload-withdrawn':
      return withdrawWorkloads(transaction, ofKind(run, kind));
    default:
      return unreachable(kind);
  }
}

function ofKind<Kind extends Observation['kind']>(run: readonly Observation[], kind: Kind): readonly Of<Kind>[] {
  return run.filter((observation): observation is Of<Kind> => observation.kind === kind);
}

function namesOf(observations: readonly { readonly node: NodeName }[]): readonly NodeName[] {
  return observations.map(({ node }) => node);
}

/**
 * A slot in which a pod ever stood stays, also when the node has fewer devices now. A node that was removed comes back
 * healthy and without pods of others, as a new one: the core knows it so, too.
 */
async function seeNodes(transaction: EntityManager, seen: readonly Of<'node-seen'>[]): Promise<Touched> {
  const specs = [...new Map(seen.map(({ node }) => [node.name, node])).values()];
  const changed: { name: string }[] = await transaction.query(
    `INSERT INTO nodes AS n (name, spec, cpu_milli, memory_mib, pods_max)
     SELECT s ->> 'name', s, (s #>> '{capacity,cpuMilli}')::bigint, (s #>> '{capacity,memoryMib}')::bigint,
       (s #>> '{capacity,pods}')::integer
     FROM jsonb_array_elements($1::jsonb) s ORDER BY 1
     ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, cpu_milli = excluded.cpu_milli,
       memory_mib = excluded.memory_mib, pods_max = excluded.pods_max, removed_at = NULL,
       state = CASE WHEN n.removed_at IS NULL THEN n.state ELSE 'healthy' END,
       cause = CASE WHEN n.removed_at IS NULL THEN n.cause ELSE '' END,
       foreign_cpu_milli = CASE WHEN n.removed_at IS NULL THEN n.foreign_cpu_milli ELSE 0 END,
       foreign_memory_mib = CASE WHEN n.removed_at IS NULL THEN n.foreign_memory_mib ELSE 0 END,
       foreign_pods = CASE WHEN n.removed_at IS NULL THEN n.foreign_pods ELSE 0 END,
       foreign_slots = CASE WHEN n.removed_at IS NULL THEN n.foreign_slots ELSE '{}' END
     WHERE n.spec IS DISTINCT FROM excluded.spec OR n.removed_at IS NOT NULL
     RETURNING n.name`,
    [JSON.stringify(specs)],
  );
  const names = changed.map(({ name }) => name);
  const devices = specs.filter(({ name }) => names.includes(name)).map((spec) => [spec.name, slotTotal(spec)] as const);
  const counts = [devices.map(([name]) => name), devices.map(([, count]) => count)];
  await transaction.query(
    `INSERT INTO slots (node, slot) SELECT n.name, slot FROM unnest($1::text[], $2::integer[]) AS n(name, devices),
       generate_series(0, n.devices - 1) slot ON CONFLICT DO NOTHING`,
    counts,
  );
  await transaction.query(
    `DELETE FROM slots s USING unnest($1::text[], $2::integer[]) AS n(name, devices)
     WHERE s.node = n.name AND s.slot >= n.devices
       AND NOT EXISTS (SELECT FROM pod_slots p WHERE p.node = s.node AND p.slot = s.slot)`,
    counts,
  );
  return { nodes: names, workloads: await workloadsOn(transaction, names) };
}

async function removeNodes(transaction: EntityManager, names: readonly NodeName[]): Promise<Touched> {
  const removed: { name: string }[] = await transaction.query(
    `WITH removed AS (
       UPDATE nodes SET removed_at = now(), unschedulable = false, wish = NULL WHERE name = ANY($1) AND removed_at IS NULL RETURNING name
     ) SELECT name FROM removed`,
    [names],
  );
  const nodes = removed.map(({ name }) => name);
  return { nodes, workloads: await workloadsOn(transaction, nodes) };
}

async function changeNodeStates(
  transaction: EntityManager,
  seen: readonly Of<'node-state-changed'>[],
): Promise<Touched> {
  const last = [...new Map(seen.map(({ node, state, cause }) => [node, { node, state, cause }])).values()];
  const changed: { name: string }[] = await transaction.query(
    `WITH changed AS (
       UPDATE nodes n SET state = s.state, cause = s.cause
       FROM jsonb_to_recordset($1::jsonb) AS s(node text, state text, cause text)
       WHERE n.name = s.node AND (n.state, n.cause) IS DISTINCT FROM (s.state, s.cause) RETURNING n.name
     ) SELECT name FROM changed`,
    [JSON.stringify(last)],
  );
  const nodes = changed.map(({ name }) => name);
  return { nodes, workloads: await workloadsOn(transaction, nodes) };
}

/** Stored whatever it amounts to: it is so. Claims that it leaves no room for are refused from here on. */
async function seeForeignUse(transaction: EntityManager, seen: readonly Of<'foreign-use-seen'>[]): Promise<Touched> {
  const last = [...new Map(seen.map(({ node, use, slots }) => [node, { node, ...use, slots }])).values()];
  const changed: { name: string }[] = await transaction.query(
    `WITH seen AS (
       SELECT node, "cpuMilli", "memoryMib", pods,
         ARRAY(SELECT slot::integer FROM jsonb_array_elements_text(slots) AS slot ORDER BY 1) AS slots
       FROM jsonb_to_recordset($1::jsonb) AS s(node text, "cpuMilli" bigint, "memoryMib" bigint, pods integer, slots jsonb)
     ), changed AS (
       UPDATE nodes n SET foreign_cpu_milli = s."cpuMilli", foreign_memory_mib = s."memoryMib", foreign_pods = s.pods,
         foreign_slots = s.slots
       FROM seen s WHERE n.name = s.node AND (n.foreign_cpu_milli, n.foreign_memory_mib, n.foreign_pods, n.foreign_slots)
         IS DISTINCT FROM (s."cpuMilli", s."memoryMib", s.pods, s.slots) RETURNING n.name
     ) SELECT name FROM changed`,
    [JSON.stringify(last)],
  );
  return { nodes: changed.map(({ name }) => name), workloads: [] };
}

async function workloadsOn(transaction: EntityManager, nodes: readonly NodeName[]): Promise<readonly string[]> {
  const rows: { workload: string }[] = await transaction.query(
    'SELECT DISTINCT workload FROM pods WHERE node = ANY($1) AND (claimed OR occupied)',
    [nodes],
  );
  return rows.map(({ workload }) => workload);
}

/** What a pod that is gone leaves behind; one that had not ended was lost. */
const GONE = `state = 'gone', occupied = false, outcome = coalesce(p.outcome, 'lost'),
  blame = coalesce(p.blame, 'node'), ended_at = coalesce(p.ended_at, now())`;

async function emptyNodes(transaction: EntityManager, nodes: readonly NodeName[]): Promise<Touched> {
  return touchedBy(
    transaction.query<TouchedPod[]>(
      `WITH gone AS (
         UPDATE pods p SET ${GONE} WHERE p.node = ANY($1) AND (p.occupied OR p.state = 'waiting') RETURNING p.node, p.workload
       ) SELECT node, workload FROM gone`,
      [nodes],
    ),
  );
}

async function bindPods(transaction: EntityManager, epoch: number, seen: readonly Of<'pod-bound'>[]): Promise<Touched> {
  const names = podNamesOf(seen);
  // Asked for in an earlier term and carried out late: nothing counts it, so it must go.
  await transaction.query(
    `INSERT INTO outbox (epoch, set_id, kind, pod)
     SELECT $2, o.set_id, 'delete-pod', p.name FROM pods p JOIN outbox o ON o.pod = p.name AND o.kind = 'create-pod'
     WHERE p.name = ANY($1) AND NOT p.occupied ORDER BY p.name
     ON CONFLICT (pod, kind) DO UPDATE SET state = 'pending', next_attempt_at = now()`,
    [names, epoch],
  );
  return touchedBy(
    transaction.query<TouchedPod[]>(
      `WITH bound AS (
         UPDATE pods SET state = 'bound' WHERE name = ANY($1) AND occupied AND state = 'expected'
         RETURNING node, workload
       ) SELECT node, workload FROM bound`,
      [names],
    ),
  );
}

/** A pod that is leaving may start in the same moment; it stays leaving. */
async function startPods(transaction: EntityManager, seen: readonly Of<'pod-started'>[]): Promise<Touched> {
  return touchedBy(
    transaction.query<TouchedPod[]>(
      `WITH started AS (
         UPDATE pods SET started_at = now(), state = CASE state WHEN 'leaving' THEN state ELSE 'started' END
         WHERE name = ANY($1) AND occupied AND started_at IS NULL AND ended_at IS NULL RETURNING node, workload
       ) SELECT node, workload FROM started`,
      [podNamesOf(seen)],
    ),
  );
}

/** Ends of one batch keep their order: for the core the first one is the cause. */
async function endPods(transaction: EntityManager, seen: readonly Of<'pod-ended'>[]): Promise<Touched> {
  const first = [...new Map([...seen].reverse().map((end) => [podNameOf(end.pod), end])).values()].reverse();
  const rows = first.map(({ pod, outcome, blame, exitCode, detail, logTail }, order) => {
    const said = { detail: storableText(detail ?? ''), logTail: storableText(logTail ?? '') };
    return { order, pod: podNameOf(pod), outcome, blame, exitCode, ...said };
  });
  return touchedBy(
    transaction.query<TouchedPod[]>(
      `WITH ended AS (
         UPDATE pods p SET state = 'ended', outcome = e.outcome, blame = e.blame, exit_code = e."exitCode",
           detail = nullif(e.detail, ''), log_tail = nullif(e."logTail", ''), ended_at = now() + e."order" * interval '1 microsecond'
         FROM jsonb_to_recordset($1::jsonb) AS e("order" integer, pod text, outcome text, blame text,
           "exitCode" integer, detail text, "logTail" text)
         WHERE p.name = e.pod AND p.occupied AND p.ended_at IS NULL RETURNING p.node, p.workload
       ) SELECT node, workload FROM ended`,
      [JSON.stringify(rows)],
    ),
  );
}

async function losePods(transaction: EntityManager, seen: readonly Of<'pod-gone'>[]): Promise<Touched> {
  return touchedBy(
    transaction.query<TouchedPod[]>(
      `WITH gone AS (
         UPDATE pods p SET ${GONE} WHERE p.name = ANY($1) AND p.occupied RETURNING p.node, p.workload
       ) SELECT node, workload FROM gone`,
      [podNamesOf(seen)],
    ),
  );
}

async function findWorkloads(transaction: EntityManager, found: readonly Of<'workload-found'>[]): Promise<Touched> {
  const stored = await storeFoundWorkloads(transaction, found);
  return { nodes: [], workloads: found.map(({ workload }) => workload), ...stored };
}

async function withdrawWorkloads(
  transaction: EntityManager,
  withdrawn: readonly Of<'workload-withdrawn'>[],
): Promise<Touched> {
  return { nodes: [], ...(await storeWithdrawnWorkloads(transaction, withdrawn)) };
}

function podNamesOf(observations: readonly { readonly pod: PodRef }[]): readonly string[] {
  return observations.map(({ pod }) => podNameOf(pod));
}

async function touchedBy(changed: Promise<readonly TouchedPod[]>): Promise<Touched> {
  const pods = await changed;
  return {
    nodes: [...new Set(pods.map(({ node }) => node))],
    workloads: [...new Set(pods.map(({ workload }) => workload))],
  };
}
