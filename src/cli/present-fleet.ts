import type { Node, Slot } from '../server/fleet/fleet.schema.js';
import { formatLabels, formatMib, formatMilli, orDash } from './amounts.js';
import type { Presentation } from './output.js';

export const NODES: Presentation<Node> = {
  columns: [
    { title: 'NAME', of: ({ name }) => name },
    { title: 'STATE', of: nodeStateOf },
    { title: 'MODEL', of: ({ models }) => orDash(models.join(',')) },
    { title: 'DEVICES', of: ({ slots }) => (slots.length === 0 ? '-' : `${claimed(slots)}/${slots.length}`) },
    { title: 'CPU', of: ({ cpuClaimed, cpuMilli }) => `${formatMilli(cpuClaimed)}/${formatMilli(cpuMilli)}` },
    { title: 'MEMORY', of: ({ memoryClaimed, memoryMib }) => `${formatMib(memoryClaimed)}/${formatMib(memoryMib)}` },
    { title: 'PODS', of: ({ pods }) => String(pods) },
    { title: 'TOPOLOGY', of: ({ topology }) => formatLabels(topology) },
    { title: 'CAUSE', of: ({ cause }) => orDash(cause), wide: true },
    { title: 'LABELS', of: ({ labels }) => formatLabels(labels), wide: true },
  ],
  name: ({ name }) => `node/${name}`,
  key: ({ name }) => name,
  none: 'No nodes: the fleet is empty.',
};

/** The state of its health, and whether an operator keeps it from taking pods. */
export function nodeStateOf({ state, unschedulable }: Node): string {
  return unschedulable ? `${state},cordoned` : state;
}

/** Devices that are claimed, shared ones in parts. */
function claimed(slots: readonly Slot[]): string {
  return formatMilli(slots.reduce((sum, { claimedMilli }) => sum + claimedMilli, 0));
}
