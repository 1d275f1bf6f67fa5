/**
 * How often what was done since the core was made, for budgets and profiles that no slow machine disturbs. Nothing is
 * decided by it, and it is in no snapshot.
 */
export class WorkCounts {
  settles = 0;
  /** Waiting workloads that had their turn. */
  visits = 0;
  /** Nodes that a shape looked at. */
  nodesJudged = 0;
  /** Times that a shape looked at all nodes anew. */
  rebuilds = 0;
}
