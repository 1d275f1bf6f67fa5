import type { QueueName } from '../contract/index.js';

interface Placed {
  readonly queue: QueueName;
  /** Of all its members, where the order keeps priorities apart; else the same for all groups. */
  readonly priority: number;
}

/** Groups that may be able to start, by queue and priority. Everything is given in no particular order. */
export class ActiveGroups<Group extends Placed> {
  readonly #all = new Set<Group>();
  readonly #byQueue = new Map<QueueName, Map<number, Set<Group>>>();

  add(group: Group): void {
    this.#all.add(group);
    const byPriority = this.#byQueue.get(group.queue) ?? new Map<number, Set<Group>>();
    const equals = byPriority.get(group.priority) ?? new Set<Group>();
    this.#byQueue.set(group.queue, byPriority.set(group.priority, equals.add(group)));
  }

  delete(group: Group): void {
    if (!this.#all.delete(group)) return;
    const byPriority = this.#byQueue.get(group.queue);
    const equals = byPriority?.get(group.priority);
    equals?.delete(group);
    if (equals?.size === 0) byPriority?.delete(group.priority);
    if (byPriority?.size === 0) this.#byQueue.delete(group.queue);
  }

  clear(): void {
    this.#all.clear();
    this.#byQueue.clear();
  }

  all(): Iterable<Group> {
    return this.#all;
  }

  queues(): Iterable<QueueName> {
    return this.#byQueue.keys();
  }

  *inQueue(queue: QueueName): Generator<Group> {
    for (const groups of this.#byQueue.get(queue)?.values() ?? []) yield* groups;
  }

  *above(queue: QueueName, priority: number): Generator<Group> {
    for (const [other, groups] of this.#byQueue.get(queue) ?? []) if (other > priority) yield* groups;
  }
}
