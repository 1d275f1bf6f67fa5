import type { Queue } from '../server/quotas/quotas.schema.js';
import { formatMilli } from './amounts.js';
import { Table, formatFields, indent, type Column } from './table.js';

/** A queue, its place in the tree and its quotas, for people. */
export function describeQueue(queue: Queue, all: readonly Queue[]): string {
  const children = all.filter(({ parent }) => parent === queue.name).map(({ name }) => name);
  const head = formatFields({
    Name: queue.name,
    Parent: queue.parent,
    Team: queue.team,
    Weight: String(queue.weight),
    Reclaims: RECLAIMS[queue.reclaim],
    'Pre-empts': queue.withinQueue === 'never' ? 'nobody of the same queue' : 'lower priorities of the same queue',
    'Queues below': children.length === 0 ? undefined : children.join(', '),
    Takes: queue.leaf ? 'workloads' : 'no workloads: only the queues below do',
    Workloads: `${queue.workloads.pending} pending, ${queue.workloads.running} running`,
  });
  if (queue.flavors.length === 0) return head;
  return `${head}\nQuotas, in devices:\n${indent(new Table(FLAVOR_COLUMNS, queue.flavors).text(queue.flavors))}`;
}

const RECLAIMS: Readonly<Record<Queue['reclaim'], string>> = {
  any: 'from every borrower',
  lowerPriority: 'from borrowers of lower priority',
  never: 'nothing',
};

const FLAVOR_COLUMNS: readonly Column<Queue['flavors'][number]>[] = [
  { title: 'FLAVOR', of: ({ flavor }) => flavor },
  { title: 'QUOTA', of: ({ nominal }) => formatMilli(nominal) },
  { title: 'USED', of: ({ used }) => formatMilli(used) },
  { title: 'AVAILABLE', of: ({ available }) => formatMilli(available) },
  { title: 'MAY BORROW', of: ({ borrowingLimit }) => limit(borrowingLimit) },
  { title: 'MAY LEND', of: ({ lendingLimit }) => limit(lendingLimit) },
  { title: 'A WORKLOAD', of: ({ maxPerWorkload }) => limit(maxPerWorkload) },
];

function limit(milli: number | undefined): string {
  return milli === undefined ? 'any' : formatMilli(milli);
}
