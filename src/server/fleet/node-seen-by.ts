import type { Node } from './fleet.schema.js';

/** For somebody who may read the workloads of `team` only: of other holders stay the team and its share. */
export function nodeSeenBy(node: Node, team: string | undefined): Node {
  if (team === undefined) return node;
  const slots = node.slots.map((slot) => ({
    ...slot,
    holders: slot.holders.map((holder) => (holder.team === team ? holder : { team: holder.team, milli: holder.milli })),
  }));
  return { ...node, slots };
}
