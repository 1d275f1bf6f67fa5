import type { LedgerView } from '../../cluster.js';
import { TEAM_LABEL } from './pod-membership.js';
import type { PodNote } from '../notes/pod-note.js';

export type QueueAnswer =
  { readonly kind: 'open'; readonly team: string } | { readonly kind: 'closed'; readonly note: PodNote };

/** The ledger's queues and teams, to be asked many times. */
export class QueueBook {
  private readonly queues: ReadonlyMap<string, LedgerView['queues'][number]>;
  private readonly teams: ReadonlySet<string>;

  constructor({ queues, teams }: Pick<LedgerView, 'queues' | 'teams'>) {
    this.queues = new Map(queues.map((queue) => [queue.name, queue]));
    this.teams = new Set(teams);
  }

  /**
   * Whether pods of `named`, the team that their namespace names, may wait in the queue, and for which team: one that
   * nobody knows is the queue's.
   */
  ask(name: string, named: string): QueueAnswer {
    const queue = this.queues.get(name);
    if (queue === undefined) return closed('QueueNotFound', `there is no queue ${name}`);
    if (!queue.isLeaf) return closed('QueueNotUsable', `queue ${name} is made of others: name one of those`);
    const team = this.teams.has(named) ? named : queue.team;
    if (team === undefined)
      return closed('TeamNotFound', `there is no team ${named}: label the namespace with ${TEAM_LABEL}`);
    if (queue.team !== undefined && queue.team !== team)
      return closed('QueueNotUsable', `queue ${name} belongs to team ${queue.team}, and the pod is of team ${team}`);
    return { kind: 'open', team };
  }
}

function closed(reason: string, message: string): QueueAnswer {
  return { kind: 'closed', note: { reason, message } };
}
