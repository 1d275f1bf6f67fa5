import type { RunningSystem } from './running-system.js';

/**
 * What must be true at every moment, asked of the database and of the processes of this machine, never of Berth: each
 * query finds the rows that break one law, in one snapshot of the ledger.
 */
const LAWS: Readonly<Record<string, string>> = {
  'a slot is given once, and its counters are the sum of its pods': `
    SELECT s.node, s.slot, s.claimed_milli, s.occupied_milli FROM slots s
    LEFT JOIN pod_slots ps ON ps.node = s.node AND ps.slot = s.slot LEFT JOIN pods p ON p.name = ps.pod
    GROUP BY s.node, s.slot
    HAVING s.claimed_milli NOT BETWEEN 0 AND 1000 OR s.occupied_milli NOT BETWEEN 0 AND 1000
      OR s.claimed_milli <> coalesce(sum(ps.milli) FILTER (WHERE p.claimed), 0)
      OR s.occupied_milli <> coalesce(sum(ps.milli) FILTER (WHERE p.occupied), 0)`,
  'a node holds no more than it has, and its counters are the sum of its pods': `
    SELECT n.name FROM nodes n LEFT JOIN pods p ON p.node = n.name GROUP BY n.name
    HAVING n.cpu_claimed > n.cpu_milli OR n.memory_claimed > n.memory_mib OR n.pods_claimed > n.pods_max
      OR n.cpu_occupied > n.cpu_milli OR n.memory_occupied > n.memory_mib OR n.pods_occupied > n.pods_max
      OR n.cpu_claimed <> coalesce(sum(p.cpu_milli) FILTER (WHERE p.claimed), 0)
      OR n.memory_claimed <> coalesce(sum(p.memory_mib) FILTER (WHERE p.claimed), 0)
      OR n.pods_claimed <> count(*) FILTER (WHERE p.claimed)
      OR n.cpu_occupied <> coalesce(sum(p.cpu_milli) FILTER (WHERE p.occupied), 0)
      OR n.memory_occupied <> coalesce(sum(p.memory_mib) FILTER (WHERE p.occupied), 0)
      OR n.pods_occupied <> count(*) FILTER (WHERE p.occupied)`,
  'the use of a queue is the sum of the charges of its workloads': `
    SELECT * FROM queue_usage u FULL JOIN (SELECT queue, flavor, sum(milli) AS charged FROM charges GROUP BY 1, 2) c
    USING (queue, flavor) WHERE coalesce(u.used, 0) <> coalesce(c.charged, 0)`,
  'a queue uses no more than its quota and what it may borrow': `
    SELECT u.* FROM queue_usage u JOIN queue_quotas q USING (queue, flavor)
    WHERE u.used > q.nominal + q.borrowing_limit`,
  'a tree of queues uses no more than the sum of its quotas': `
    WITH RECURSIVE tree AS (
      SELECT name, name AS root FROM queues WHERE parent IS NULL
      UNION ALL SELECT q.name, tree.root FROM queues q JOIN tree ON q.parent = tree.name
    )
    SELECT root, flavor, sum(used) AS used, sum(nominal) AS nominal FROM tree JOIN (
      SELECT queue, flavor, nominal, 0 AS used FROM queue_quotas
      UNION ALL SELECT queue, flavor, NULL, used FROM queue_usage
    ) amounts ON queue = tree.name GROUP BY root, flavor HAVING sum(used) > sum(nominal)`,
  'a workload is charged for the devices that its pods claim': `
    SELECT w.uid, w.state, charged.milli AS charged, claimed.milli AS claimed FROM workloads w
    LEFT JOIN (SELECT workload, sum(milli) AS milli FROM charges GROUP BY 1) charged ON charged.workload = w.uid
    LEFT JOIN (SELECT p.workload, sum(ps.milli) AS milli FROM pods p JOIN pod_slots ps ON ps.pod = p.name
      WHERE p.claimed GROUP BY 1) claimed ON claimed.workload = w.uid
    WHERE w.spec #> '{podSets,0,accelerators}' IS NOT NULL AND coalesce(charged.milli, 0) <> coalesce(claimed.milli, 0)`,
  'a gang is there with its minimum or not at all': `
    SELECT w.uid, w.state, count(p.name) AS pods FROM workloads w
    LEFT JOIN pods p ON p.workload = w.uid AND p.incarnation = w.incarnation
    GROUP BY w.uid HAVING count(p.name) BETWEEN 1 AND
      (SELECT sum(coalesce((s ->> 'minCount')::integer, (s ->> 'count')::integer)) - 1
       FROM jsonb_array_elements(w.spec -> 'podSets') s)`,
  'a workload claims no more pods than it asks for': `
    SELECT w.uid, w.state, p.pod_set, count(*) AS pods FROM workloads w
    JOIN pods p ON p.workload = w.uid AND p.claimed
    JOIN LATERAL jsonb_array_elements(w.spec -> 'podSets') s ON coalesce(s ->> 'name', 'worker') = p.pod_set
    GROUP BY w.uid, p.pod_set, s HAVING count(*) > (s ->> 'count')::integer`,
  'a gang that runs has claims for all pods that have not ended': `
    SELECT w.uid, w.state, p.name FROM workloads w JOIN pods p ON p.workload = w.uid AND p.incarnation = w.incarnation
    WHERE w.state IN ('starting', 'running') AND NOT p.claimed AND p.ended_at IS NULL AND p.state <> 'leaving'`,
  'only a workload that starts or runs holds claims, and only for its newest incarnation': `
    SELECT w.uid, w.state, p.name FROM workloads w JOIN pods p ON p.workload = w.uid
    WHERE p.claimed AND (w.state NOT IN ('starting', 'running') OR p.incarnation <> w.incarnation)`,
  'a workload that waits or has ended occupies nothing': `
    SELECT w.uid, w.state, p.name FROM workloads w JOIN pods p ON p.workload = w.uid
    WHERE p.occupied AND w.state IN ('pending', 'succeeded', 'failed', 'cancelled')`,
  'a workload has an end exactly when its state is final': `
    SELECT uid, state, finished_at FROM workloads
    WHERE (finished_at IS NOT NULL) <> (state IN ('succeeded', 'failed', 'cancelled'))`,
  'a pod that is gone or refused occupies nothing': `
    SELECT name, state FROM pods WHERE state IN ('gone', 'refused') AND occupied`,
  'a pod waits only while one is there that it waits for': `
    SELECT p.name, p.waits_for FROM pods p WHERE p.state = 'waiting'
      AND NOT EXISTS (SELECT FROM pods v WHERE v.name = ANY(p.waits_for) AND v.occupied)`,
  'no intent of a term comes after one of a later term': `
    SELECT id, epoch, before FROM (SELECT id, epoch, lag(epoch) OVER (ORDER BY id) AS before FROM outbox) o
    WHERE before > epoch`,
  'the audit chain is unbroken': `
    SELECT chain, number FROM (
      SELECT a.chain, a.number, a.hash = audit_hash(a) AND
        a.previous_hash = coalesce(lag(a.hash) OVER chained, sha256(convert_to(a.chain, 'UTF8'))) AND
        a.number = coalesce(lag(a.number) OVER chained, 0) + 1 AS holds
      FROM audit a WINDOW chained AS (PARTITION BY a.chain ORDER BY a.number)
    ) entries WHERE NOT holds
    UNION ALL
    SELECT h.chain, h.number FROM audit_heads h
    WHERE h.number <> (SELECT count(*) FROM audit a WHERE a.chain = h.chain) OR (h.number > 0
      AND h.hash <> (SELECT a.hash FROM audit a WHERE a.chain = h.chain AND a.number = h.number))`,
};

interface Finding {
  readonly broken: Readonly<Record<string, readonly unknown[]>>;
  readonly occupied: readonly string[];
}

const LOOK = `SELECT jsonb_build_object(
  'broken', jsonb_strip_nulls(jsonb_build_object(${Object.entries(LAWS)
    .map(([law, breakers]) => `'${law}', (SELECT jsonb_agg(b) FROM (${breakers}) b)`)
    .join(', ')})),
  'occupied', (SELECT coalesce(jsonb_agg(name), '[]') FROM pods WHERE occupied)) AS finding`;

/** One look at everything; throws with what is wrong. */
export async function checkLedger(system: RunningSystem): Promise<void> {
  const before = system.pods();
  const [row] = await system.query<{ finding: Finding }>(LOOK);
  const { broken, occupied } = row?.finding ?? { broken: { 'the ledger answers': [] }, occupied: [] };
  if (Object.keys(broken).length > 0) throw new Error(`laws are broken: ${JSON.stringify(broken, undefined, 2)}`);
  // An occupancy ends on evidence of death only: whoever ran before the look and still runs after it must be in it.
  const after = new Set(system.pods().map(({ pid }) => pid));
  const strays = before.filter(({ pid, pod }) => after.has(pid) && !occupied.includes(pod));
  if (strays.length > 0) throw new Error(`pods run outside of an allocation: ${JSON.stringify(strays)}`);
  const incarnations = new Map(before.map(({ workload, incarnation }) => [workload, incarnation]));
  const doubles = before.filter(({ workload, incarnation, pid }) => {
    return after.has(pid) && incarnations.get(workload) !== incarnation;
  });
  if (doubles.length > 0) throw new Error(`two incarnations run at once: ${JSON.stringify(doubles)}`);
}

/** Nothing is claimed, occupied, charged, or still to be asked of the driver. */
export async function isAtRest(system: RunningSystem): Promise<boolean> {
  const [left] = await system.query<{ count: string }>(`SELECT
    (SELECT count(*) FROM pods WHERE claimed OR occupied) + (SELECT count(*) FROM charges)
    + (SELECT count(*) FROM queue_usage WHERE used > 0) + (SELECT count(*) FROM outbox WHERE state = 'pending')
    + (SELECT count(*) FROM slots WHERE claimed_milli > 0 OR occupied_milli > 0) AS count`);
  return Number(left?.count) === 0 && system.pods().length === 0;
}
