import type { Node } from '../server/fleet/fleet.schema.js';
import { formatLabels, formatMib, formatMilli, orDash } from './amounts.js';
import { nodeStateOf } from './present-fleet.js';
import { Table, formatFields, indent, type Column } from './table.js';

/** A node and who holds its device slots, for people. */
export function describeNode(node: Node): string {
  const head = formatFields({
    Name: node.name,
    State: nodeStateOf(node),
    Cause: node.cause === '' ? undefined : node.cause,
    Model: node.models.length === 0 ? undefined : node.models.join(', '),
    Topology: formatLabels(node.topology),
    Labels: formatLabels(node.labels),
    CPU: `${formatMilli(node.cpuClaimed)} of ${formatMilli(node.cpuMilli)} claimed`,
    Memory: `${formatMib(node.memoryClaimed)} of ${formatMib(node.memoryMib)} claimed`,
    Pods: String(node.pods),
  });
  if (node.slots.length === 0) return head;
  const columns = node.models.length > 1 ? [SLOT, MODEL, ...HOLDING] : [SLOT, ...HOLDING];
  return `${head}\nDevice slots:\n${indent(new Table(columns, node.slots).text(node.slots))}`;
}

type SlotColumn = Column<Node['slots'][number]>;
const SLOT: SlotColumn = { title: 'SLOT', of: ({ slot }) => String(slot) };
const MODEL: SlotColumn = { title: 'MODEL', of: ({ model }) => orDash(model ?? '') };

const HOLDING: readonly SlotColumn[] = [
  { title: 'CLAIMED', of: ({ claimedMilli }) => formatMilli(claimedMilli) },
  {
    title: 'HELD BY',
    of: ({ holders }) =>
      orDash(
        holders
          .map(({ team, workloadName, pod }) =>
            workloadName === undefined ? `a workload of ${team}` : `${team}/${workloadName} (${pod ?? ''})`,
          )
          .join(', '),
      ),
  },
];
