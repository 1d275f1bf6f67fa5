import type { PodSetSpec, QueueName } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { Requests } from '../queue/index.js';
import { QueueTournament } from '../queue/index.js';
import { requestsOfWishes } from '../quota/index.js';
import { wishOf } from './pod-cost.js';
import { minimumOf } from './start-ask.js';

/** What the minimum would be charged for, by each choice of flavors, allowed or not; at least one, maybe of nothing. */
export function requestsOf(
  state: CoreState,
  { queue, podSets }: { readonly queue: QueueName; readonly podSets: readonly PodSetSpec[] },
): Requests {
  return requestsOfWishes(
    queue,
    podSets.filter(({ count }) => count > 0).map((podSet) => wishOf(state, podSet, minimumOf(podSet))),
  );
}

/** Whose turn it is now, among those that may be able to start. */
export function tournamentOf(state: CoreState): QueueTournament {
  const { quota, book, policy } = state;
  return new QueueTournament({ groups: book.groups, quota, order: policy.order }, (group) => requestsOf(state, group));
}
