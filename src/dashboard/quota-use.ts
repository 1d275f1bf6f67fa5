import type { Queue } from '../server/quotas/quotas.schema.js';

/** The use of one flavor by a queue and all below it, in devices. */
export interface QuotaUse {
  readonly flavor: string;
  /** Of the queue itself and of all below it. */
  readonly nominal: number;
  readonly used: number;
  /** What is used above nominal, which is somebody else's. */
  readonly borrowed: number;
  /** What the queue may use at most: nominal and its borrowing limit; absent without a limit. */
  readonly limit?: number;
}

export interface QueueUse {
  readonly queue: Queue;
  /** 0 for a root. */
  readonly depth: number;
  readonly flavors: readonly QuotaUse[];
}

/** The tree as rows, parents before children as the API gives them. */
export function queueUses(queues: readonly Queue[]): readonly QueueUse[] {
  const depths = new Map<string, number>();
  return queues.map((queue) => {
    const depth = queue.parent === undefined ? 0 : (depths.get(queue.parent) ?? 0) + 1;
    depths.set(queue.name, depth);
    return { queue, depth, flavors: flavorsOf(queue, queues) };
  });
}

function flavorsOf(queue: Queue, queues: readonly Queue[]): readonly QuotaUse[] {
  return queue.flavors.map(({ flavor, used, borrowingLimit }) => {
    const nominal = nominalBelow(queue, flavor, queues);
    return {
      flavor,
      nominal: nominal / 1000,
      used: used / 1000,
      borrowed: Math.max(0, used - nominal) / 1000,
      ...(borrowingLimit === undefined ? {} : { limit: (nominal + borrowingLimit) / 1000 }),
    };
  });
}

/** The API names what each queue has by itself; what a parent guards is the sum. */
function nominalBelow(queue: Queue, flavor: string, queues: readonly Queue[]): number {
  const own = queue.flavors.find((entry) => entry.flavor === flavor)?.nominal ?? 0;
  return queues
    .filter(({ parent }) => parent === queue.name)
    .reduce((sum, child) => sum + nominalBelow(child, flavor, queues), own);
}
