import type { ClusterState } from './live-state.js';

/** How a team looks everywhere on the page. */
export interface TeamMark {
  readonly color: string;
  readonly pattern: 'plain' | 'striped';
}

/** Told apart also by people who see red and green alike, and by none of them mistaken for the colours of states. */
const COLORS = ['#4c7dff', '#e8853d', '#14a3a8', '#a36bf2', '#e0609f', '#c9a227', '#6b8299', '#a5734a'];
const NOBODY: TeamMark = { color: '#6b8299', pattern: 'plain' };

export type TeamMarks = ReadonlyMap<string, TeamMark>;

/** By the order of the names, so that everybody who sees the same teams sees the same colours. */
export function teamMarks(teams: readonly string[]): TeamMarks {
  return new Map(
    teams.map((team, index) => [
      team,
      {
        color: COLORS[index % COLORS.length] ?? NOBODY.color,
        pattern: Math.floor(index / COLORS.length) % 2 === 0 ? 'plain' : 'striped',
      },
    ]),
  );
}

export function markOf(marks: TeamMarks, team: string | undefined): TeamMark {
  return (team === undefined ? undefined : marks.get(team)) ?? NOBODY;
}

/** Teams that have a queue, hold a device or own a workload, by name. */
export function teamsIn({ nodes, queues, workloads }: ClusterState): readonly string[] {
  const teams = new Set<string>();
  for (const { team } of queues) if (team !== undefined) teams.add(team);
  for (const { metadata } of workloads.values()) teams.add(metadata.namespace);
  for (const { slots } of nodes.values())
    for (const { holders } of slots) for (const { team } of holders) teams.add(team);
  return [...teams].sort();
}
