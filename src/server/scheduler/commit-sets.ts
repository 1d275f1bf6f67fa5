import type { DataSource, EntityManager } from 'typeorm';
import { inTerm, refusalOf } from './in-term.js';
import type { DecisionSet, Leadership, SetOutcome } from './ledger.js';
import { judge, lockBooks, type LockedBooks } from './locked-books.js';
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
        const refusal = await tryOne(transaction, { leadership, books, set });
        outcomes.push(refusal ?? { kind: 'committed', set: set.set });
        if (refusal === undefined) present = judgement.books;
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
  const outcomes = sets.map((set): SetOutcome => {
    const judgement = judge(present, set);
    if (judgement.kind === 'refused') return judgement.outcome;
    present = judgement.books;
    permitted.push(set);
    return { kind: 'committed', set: set.set };
  });
  await transaction.transaction((savepoint) => storeDecisions(savepoint, { leadership, books, sets: permitted }));
  return outcomes;
}

async function tryOne(
  transaction: EntityManager,
  { leadership, books, set }: { leadership: Leadership; books: LockedBooks; set: DecisionSet },
): Promise<Refusal | undefined> {
  try {
    await transaction.transaction((savepoint) => storeDecisions(savepoint, { leadership, books, sets: [set] }));
    return undefined;
  } catch (error) {
    const why = whyRefused(error);
    if (why === undefined) throw error;
    return { kind: 'refused', set: set.set, ...why };
  }
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
