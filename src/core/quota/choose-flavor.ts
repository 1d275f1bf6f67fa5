import type { Charge, FlavorName, Milli, QueueName } from '../contract/index.js';
import type { QuotaTree } from './quota-tree.js';

/** A pod set's wish: its flavors in order of preference (`undefined`: none is needed), and what each would cost. */
export interface FlavorWish {
  readonly flavors: readonly (FlavorName | undefined)[];
  readonly costOf: (flavor: FlavorName) => Milli;
}

/** One flavor for each pod set. */
export type FlavorChoice = readonly (FlavorName | undefined)[];

export interface FlavorChoices {
  /** Those that quota allows: first without borrowing, then with; in the order of preference each. */
  readonly allowed: readonly FlavorChoice[];
  /** The first choice, allowed or not. */
  readonly preferred: FlavorChoice;
  /** Why the first choice is not allowed; absent when it is. */
  readonly refused?: {
    readonly queue: QueueName;
    /** Absent: the queue takes no workloads at all, being unknown or not a leaf. */
    readonly flavor?: FlavorName;
    readonly shortMilli: Milli;
  };
  /** More combinations exist than are looked at. */
  readonly searched: 'complete' | 'partial';
}

/** Eight pod sets of two flavors have 256 combinations; the first are the preferred ones. */
const CHOICES_MAX = 64;

/** Which flavors a workload may take in its queue: the whole workload without borrowing first, then with. */
export function chooseFlavors(quota: QuotaTree, queue: QueueName, wishes: readonly FlavorWish[]): FlavorChoices {
  const choices = combinationsOf(wishes);
  const preferred = choices[0] ?? [];
  if (!quota.isLeaf(queue)) return { allowed: [], preferred, refused: { queue, shortMilli: 0 }, searched: 'complete' };
  const free: FlavorChoice[] = [];
  const borrowing: FlavorChoice[] = [];
  let refused: FlavorChoices['refused'];
  for (const [index, choice] of choices.entries()) {
    let borrows = false;
    let shortage: FlavorChoices['refused'];
    for (const charge of chargesOf(queue, wishes, choice)) {
      const fit = quota.fits(charge);
      if (fit.kind === 'fits') borrows ||= fit.borrows;
      else shortage ??= { queue: fit.queue, flavor: charge.flavor, shortMilli: fit.shortMilli };
    }
    if (shortage !== undefined && index === 0) refused = shortage;
    if (shortage === undefined) (borrows ? borrowing : free).push(choice);
  }
  const all = wishes.reduce((product, { flavors }) => product * flavors.length, 1);
  return {
    allowed: [...free, ...borrowing],
    preferred,
    ...(refused === undefined ? {} : { refused }),
    searched: all > choices.length ? 'partial' : 'complete',
  };
}

/** What each choice of flavors would be charged for, the preferred ones first; equal ones once. */
export function requestsOfWishes(queue: QueueName, wishes: readonly FlavorWish[]): readonly (readonly Charge[])[] {
  const requests = combinationsOf(wishes).map((choice) => chargesOf(queue, wishes, choice));
  if (requests.length < 2) return requests;
  return [...new Map(requests.map((request) => [JSON.stringify(request), request])).values()];
}

/** What the choice costs, one charge for each flavor. */
export function chargesOf(queue: QueueName, wishes: readonly FlavorWish[], choice: FlavorChoice): readonly Charge[] {
  const sums = new Map<FlavorName, Milli>();
  for (const [index, flavor] of choice.entries()) {
    if (flavor !== undefined) sums.set(flavor, (sums.get(flavor) ?? 0) + (wishes[index]?.costOf(flavor) ?? 0));
  }
  return [...sums].map(([flavor, milli]) => ({ queue, flavor, milli }));
}

/** Each way to give every pod set a flavor, preferred ones first: of the pod sets the last changes fastest. */
export function combinationsOf(wishes: readonly FlavorWish[]): readonly FlavorChoice[] {
  const [only] = wishes;
  // One pod set is by far the most common.
  if (only !== undefined && wishes.length === 1) return only.flavors.slice(0, CHOICES_MAX).map((flavor) => [flavor]);
  let choices: FlavorChoice[] = [[]];
  for (const { flavors } of wishes) {
    choices = choices.flatMap((choice) => flavors.map((flavor) => [...choice, flavor])).slice(0, CHOICES_MAX);
  }
  return choices;
}
