import type { DataSource, EntityManager } from 'typeorm';
import { inTerm, refusalOf } from './in-term.js';
import type { DecisionSet, Leadership, SetOutcome } from './ledger.js';
import { judge, lockBooks, type LockedBooks } from './locked-books.js';
import { podNameOf } from './pod-name.js';
import { storeDecisions } from './store-decisions.js';

type Refusal = Extract<SetOutcome, { readonly kind: 'refused' }>;

const WHY_BY_STATE: Readonly<Record<string, Refusal['why']>> = { BE002: 'slot', BE003: 'node-state' };
const WHY_BY_CONSTRAINT: Readonly<Record<string, Refusal['why']>> = {
  slots_claims: 'slot',
  slots_occupancies: 'slot',
  pod_slots_node_slot_fkey: 'slot',
  pods_node_fkey: 'node-state',
};

/**
 * One transaction for all sets. They are stored together, by a few statements; only when the database refuses one of
 * them each is tried in a savepoint of its own.
 */
export async function commitSets(
  database: DataSource,
  leadership: Leadership,
  sets: readonly DecisionSet[],
): Promise<readonly SetOutcome[]> {
  return inTerm(database, leadership, async (transaction) => {
    const books = await lockBooks(transaction, sets);
    try {
      return await tryAll(transaction, { leadership, books, sets });
    } catch (error) {
      if (whyRefused(error) === undefined) throw error;
    }
    let present = books;
    const outcomes: SetOutcome[] = [];
    for (const set of sets) {
      const judgement = judge(present, set);
      if (judgement.kind === 'refused') outcomes.push(judgement.outcome);
      else {
        const outcome = await tryOne(transaction, { leadership, books, set });
        outcomes.push(outcome);
        if (outcome.kind === 'committed') present = judgement.books;
      }
    }
    return outcomes;
  });
}

async function tryAll(
  transaction: EntityManager,
  { leadership, books, sets }: { leadership: Leadership; books: LockedBooks; sets: readonly DecisionSet[] },
): Promise<readonly SetOutcome[]> {
  let present = books;
  const permitted: DecisionSet[] = [];
  const refusals = sets.map((set) => {
    const judgement = judge(present, set);
    if (judgement.kind === 'refused') return judgement.outcome;
    present = judgement.books;
    permitted.push(set);
    return undefined;
  });
  const neverCame = await transaction.transaction((savepoint) =>
    storeDecisions(savepoint, { leadership, books, sets: permitted }),
  );
  return sets.map((set, index) => refusals[index] ?? committed(set, neverCame));
}

async function tryOne(
  transaction: EntityManager,
  { leadership, books, set }: { leadership: Leadership; books: LockedBooks; set: DecisionSet },
): Promise<SetOutcome> {
  try {
    const neverCame = await transaction.transaction((savepoint) =>
      storeDecisions(savepoint, { leadership, books, sets: [set] }),
    );
    return committed(set, neverCame);
  } catch (error) {
    const why = whyRefused(error);
    if (why === undefined) throw error;
    return { kind: 'refused', set: set.set, ...why };
  }
}

function committed({ set, decisions }: DecisionSet, neverCame: ReadonlySet<string>): SetOutcome {
  const pods = decisions
    .flatMap((decision) => ('pods' in decision ? decision.pods : []))
    .filter((pod) => neverCame.has(podNameOf(pod)));
  return { kind: 'committed', set, ...(pods.length === 0 ? {} : { neverCame: pods }) };
}

/** `undefined`: not a refusal of what was decided, but a bug or a broken database. */
function whyRefused(error: unknown): Pick<Refusal, 'why' | 'at'> | undefined {
  const refusal = refusalOf(error);
  if (refusal === undefined) return undefined;
  const { sqlState, constraint = '', detail } = refusal;
  const why = WHY_BY_STATE[sqlState] ?? WHY_BY_CONSTRAINT[constraint];
  if (why === undefined) return undefined;
  // Only our own triggers name the node, and nothing else, as the detail.
  return detail === undefined || !sqlState.startsWith('BE') ? { why } : { why, at: detail };
}
