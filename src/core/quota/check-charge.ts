import type { Charge, FlavorName, FlavorQuota, Milli, QueueName } from '../contract/index.js';

/** A queue as the ledger's rows have it. */
export interface QuotaTreeRow {
  readonly name: QueueName;
  readonly parent?: QueueName;
  readonly quotas: Readonly<Record<FlavorName, FlavorQuota>>;
  /** The live charges of this queue itself, without its children. */
  readonly usage: Readonly<Record<FlavorName, Milli>>;
}

export type ChargeCheck =
  | { readonly kind: 'fits' }
  | {
      readonly kind: 'exceeds';
      /** The level that binds, not only the leaf. */
      readonly queue: QueueName;
      readonly flavor: FlavorName;
      readonly shortMilli: Milli;
    };

/** What the rows of one flavor say about one queue; all in milli. */
interface Level {
  readonly row: QuotaTreeRow;
  readonly subtree: Milli;
  readonly kept: Milli;
  readonly usage: Milli;
}

/**
 * May this charge be added? `tree` holds all queues (or all of the charge's tree), in any order, with the live charges
 * before it. Charges of one flavor and queue are to be added up first. A flavor that no queue of the tree names is not
 * managed, and fits. A queue that is unknown or has no way to a root gets nothing.
 *
 * Plain recursion on plain rows: `QuotaTree` computes the same on columns, and a test holds them together.
 */
export function checkCharge(tree: readonly QuotaTreeRow[], charge: Charge): ChargeCheck {
  const path = pathToRoot(tree, charge.queue);
  if (path === undefined) return exceeds(charge.queue, charge, charge.milli);
  const root = path[path.length - 1];
  if (root === undefined || !isManaged(tree, root, charge.flavor)) return { kind: 'fits' };
  const levels = path.map((row) => levelOf(tree, row, charge.flavor));
  const { available, binding } = availableAt(levels, charge.flavor, charge.milli);
  return charge.milli <= available ? { kind: 'fits' } : exceeds(binding, charge, charge.milli - available);
}

/** What the queue may still take, in milli; `undefined` when no queue of its tree names the flavor. */
export function availableMilli(tree: readonly QuotaTreeRow[], queue: QueueName, flavor: FlavorName): Milli | undefined {
  const path = pathToRoot(tree, queue);
  if (path === undefined) return 0;
  const root = path[path.length - 1];
  if (root === undefined || !isManaged(tree, root, flavor)) return undefined;
  return availableAt(
    path.map((row) => levelOf(tree, row, flavor)),
    flavor,
    0,
  ).available;
}

/** From the root down: each level adds what it keeps for itself to what it may draw from above. */
function availableAt(
  levels: readonly Level[],
  flavor: FlavorName,
  wanted: Milli,
): { readonly available: Milli; readonly binding: QueueName } {
  const root = levels[levels.length - 1];
  if (root === undefined) return { available: 0, binding: '' };
  let available = root.subtree - root.usage;
  let binding = root.row.name;
  for (let i = levels.length - 2; i >= 0; i--) {
    const level = levels[i];
    if (level === undefined) break;
    const { subtree, kept, usage, row } = level;
    const limit = row.quotas[flavor]?.borrowingLimit;
    let fromParent = available;
    if (limit !== undefined) {
      const cap = subtree - kept - Math.max(0, usage - kept) + limit;
      if (cap < fromParent) {
        fromParent = cap;
        binding = row.name;
      }
    }
    available = Math.max(0, kept - usage) + fromParent;
  }
  return { available, binding: wanted <= available ? (levels[0]?.row.name ?? binding) : binding };
}

function levelOf(tree: readonly QuotaTreeRow[], row: QuotaTreeRow, flavor: FlavorName): Level {
  const quota = row.quotas[flavor];
  let subtree = quota?.nominal ?? 0;
  let usage = row.usage[flavor] ?? 0;
  for (const child of tree) {
    if (child.parent !== row.name) continue;
    const below = levelOf(tree, child, flavor);
    subtree += below.subtree - below.kept;
    usage += Math.max(0, below.usage - below.kept);
  }
  const lending = quota?.lendingLimit;
  return { row, subtree, usage, kept: lending === undefined ? 0 : Math.max(0, subtree - lending) };
}

/** The queue first, its root last; `undefined` when a parent is missing. */
function pathToRoot(tree: readonly QuotaTreeRow[], queue: QueueName): readonly QuotaTreeRow[] | undefined {
  const path: QuotaTreeRow[] = [];
  let name: QueueName | undefined = queue;
  while (name !== undefined) {
    const wanted: QueueName = name;
    const row = tree.find((candidate) => candidate.name === wanted);
    if (row === undefined || path.length > tree.length) return undefined;
    path.push(row);
    name = row.parent;
  }
  return path;
}

function isManaged(tree: readonly QuotaTreeRow[], root: QuotaTreeRow, flavor: FlavorName): boolean {
  if (root.quotas[flavor] !== undefined) return true;
  return tree.some((child) => child.parent === root.name && isManaged(tree, child, flavor));
}

function exceeds(queue: QueueName, charge: Charge, shortMilli: Milli): ChargeCheck {
  return { kind: 'exceeds', queue, flavor: charge.flavor, shortMilli };
}
