/**
 * How often what was done since the core was made, for budgets and profiles that no slow machine disturbs. Nothing is
 * decided by it, and it is in no snapshot.
 */
export interface WorkCounts {
  settles: number;
  /** Waiting workloads that had their turn. */
  visits: number;
  /** Groups of the waiting that became active: new ones, and those that something which came free may help. */
  wakes: number;
  /** Searches for a start to plan. */
  planSearches: number;
  /** Searches for victims, and who fell in them, for good or in a trial. */
  victimSearches: number;
  falls: number;
  /** Ends to come that were listed for plans. */
  endsListed: number;
  /** Nodes that a shape looked at. */
  nodesJudged: number;
  /** Times that a shape looked at all nodes anew. */
  rebuilds: number;
}

export function noWork(): WorkCounts {
  return {
    settles: 0,
    visits: 0,
    wakes: 0,
    planSearches: 0,
    victimSearches: 0,
    falls: 0,
    endsListed: 0,
    nodesJudged: 0,
    rebuilds: 0,
  };
}
