import type { EntityManager } from 'typeorm';
import { checkCharge, isForDisplay, type Charge, type Decision, type QuotaTreeRow } from '../../core/index.js';
import type { DecisionSet, SetOutcome } from './ledger.js';
import { podNameOf } from './pod-name.js';
import { readQueues } from './queue-rows.js';

/** A workload as the ledger has it, before the sets. */
export interface BookedWorkload {
  readonly uid: string;
  readonly team: string;
  readonly name: string;
  readonly state: string;
  readonly incarnation: number;
  readonly ending: string | null;
  readonly finished: boolean;
  readonly cancel_requested: boolean;
}

/** The rows that sets are judged by; locked, so that they stay true until the commit. */
export interface LockedBooks {
  readonly queues: readonly QuotaTreeRow[];
  readonly workloads: ReadonlyMap<string, BookedWorkload>;
}

/**
 * Locks in one order, whatever the sets: queue paths from root to leaf, nodes by name, workloads by id; and at the end
 * the heads of the chains of the audit (`appendAudits`). Whoever changes the quota or the use of a queue locks its root first, so the whole tree holds still.
 */
export async function lockBooks(transaction: EntityManager, sets: readonly DecisionSet[]): Promise<LockedBooks> {
  const decisions = sets.flatMap((set) => set.decisions);
  const queues = decisions.flatMap((decision) => ('charges' in decision ? decision.charges : [])).map((c) => c.queue);
  const nodes = decisions
    .flatMap((decision) => (decision.kind === 'start' || decision.kind === 'grow' ? decision.seats : []))
    .map((seat) => seat.node);
  const pods = decisions.flatMap((decision) => ('pods' in decision ? decision.pods : [])).map(podNameOf);
  await transaction.query(
    `WITH RECURSIVE path AS (
       SELECT name, parent, 0 AS height FROM queues WHERE name = ANY($1)
       UNION SELECT q.name, q.parent, path.height + 1 FROM path JOIN queues q ON q.name = path.parent
     )
     SELECT name FROM queues q JOIN (SELECT name AS on_path, max(height) AS height FROM path GROUP BY name) p
       ON p.on_path = q.name
     ORDER BY p.height DESC, q.name COLLATE "C" FOR NO KEY UPDATE OF q`,
    [queues],
  );
  await transaction.query(
    `SELECT name FROM nodes WHERE name = ANY($1) OR name IN (SELECT node FROM pods WHERE name = ANY($2))
     ORDER BY name COLLATE "C" FOR NO KEY UPDATE`,
    [nodes, pods],
  );
  const workloads: BookedWorkload[] = await transaction.query(
    `SELECT uid, team, name, state, incarnation, ending, finished_at IS NOT NULL AS finished,
       cancel_requested_at IS NOT NULL AS cancel_requested
     FROM workloads WHERE uid = ANY($1::uuid[]) ORDER BY uid FOR NO KEY UPDATE`,
    [decisions.flatMap(workloadsOf)],
  );
  return {
    queues: queues.length === 0 ? [] : await readTree(transaction),
    workloads: new Map(workloads.map((row) => [row.uid, row])),
  };
}

/** Those that it is about, and the one that it makes room for: its name stands in what people read. */
function workloadsOf(decision: Decision): readonly string[] {
  if (decision.kind === 'wait') return decision.workloads;
  const beneficiary = 'for' in decision ? [decision.for] : [];
  return [decision.workload, ...beneficiary];
}

async function readTree(transaction: EntityManager): Promise<readonly QuotaTreeRow[]> {
  const used: { queue: string; flavor: string; used: string }[] = await transaction.query(
    'SELECT queue, flavor, used FROM queue_usage',
  );
  return (await readQueues(transaction)).map(({ name, parent, quotas }) => ({
    name,
    ...(parent === undefined ? {} : { parent }),
    quotas,
    usage: Object.fromEntries(used.filter(({ queue }) => queue === name).map((row) => [row.flavor, Number(row.used)])),
  }));
}

export type Judgement =
  | { readonly kind: 'permitted'; readonly books: LockedBooks }
  | { readonly kind: 'refused'; readonly outcome: SetOutcome };

/**
 * May the set be stored, by the states of its workloads and the quota of its queues? Decisions are judged in their
 * order: what one gives back the next may take. Slots and nodes judge later.
 */
export function judge(books: LockedBooks, { set, decisions }: DecisionSet): Judgement {
  let after = books;
  for (const decision of decisions) {
    if (!fitsState(decision, books.workloads.get(decision.workload))) {
      return { kind: 'refused', outcome: { kind: 'refused', set, why: 'workload-state' } };
    }
    if (decision.kind === 'evict' || decision.kind === 'release' || decision.kind === 'shrink') {
      after = charged(after, decision.charges, -1);
    } else if (decision.kind === 'start' || decision.kind === 'grow') {
      for (const charge of decision.charges) {
        const check = checkCharge(after.queues, charge);
        if (check.kind === 'exceeds') {
          return { kind: 'refused', outcome: { kind: 'refused', set, why: 'quota', at: check.queue } };
        }
        after = charged(after, [charge], 1);
      }
    }
  }
  return { kind: 'permitted', books: after };
}

/** A workload whose end was asked for is not started any more: the command is on its way to the core. */
function fitsState(decision: Decision, workload: BookedWorkload | undefined): boolean {
  if (isForDisplay(decision)) return true;
  if (workload === undefined || workload.finished) return false;
  const { state, incarnation, ending, cancel_requested: isCancelled } = workload;
  switch (decision.kind) {
    case 'start':
      return (
        !isCancelled &&
        decision.incarnation === incarnation + 1 &&
        (state === 'pending' || (state === 'evicting' && ending === null))
      );
    case 'grow':
      return !isCancelled && decision.incarnation === incarnation && (state === 'starting' || state === 'running');
    case 'evict':
    case 'shrink':
      return decision.incarnation === incarnation && (state === 'starting' || state === 'running');
    case 'release':
    case 'finish':
      return true;
  }
}

function charged(books: LockedBooks, charges: readonly Charge[], sign: 1 | -1): LockedBooks {
  const queues = books.queues.map((row) => {
    const own = charges.filter(({ queue }) => queue === row.name);
    if (own.length === 0) return row;
    const usage = { ...row.usage };
    for (const { flavor, milli } of own) usage[flavor] = (usage[flavor] ?? 0) + sign * milli;
    return { ...row, usage };
  });
  return { ...books, queues };
}
