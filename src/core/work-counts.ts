/**
 * How often what was done since the core was made, for budgets and profiles that no slow machine disturbs. Nothing is
 * decided by it, and it is in no snapshot.
 */
export class WorkCounts {
  settles = 0;
  /** Waiting workloads that had their turn. */
  visits = 0;
  /** Groups of the waiting that became active: new ones, and those that something which came free may help. */
  wakes = 0;
  /** Searches for a start to plan. */
  planSearches = 0;
  /** Searches for victims, and who fell in them, for good or in a trial. */
  victimSearches = 0;
  falls = 0;
  /** Ends to come that were listed for plans. */
  endsListed = 0;
  /** Nodes that a shape looked at. */
  nodesJudged = 0;
  /** Times that a shape looked at all nodes anew. */
  rebuilds = 0;
}
