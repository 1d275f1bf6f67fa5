import type { Change, Constraint, Verdict } from '../../core/index.js';
import type { Workload, WorkloadExplanation } from './workload.schema.js';

/** Names of workloads by id, for sentences. */
export type WorkloadNames = ReadonlyMap<string, string>;

const HOLDERS_SHOWN = 3;

/** For a sentence that names no workload. */
const NOBODY: WorkloadNames = new Map();

/** The verdict in the words of the glossary: what binds, how much is missing, who holds it, what would start it. */
export function explanationOf(workload: Workload, verdict: Verdict, names: WorkloadNames): WorkloadExplanation {
  const changes = verdict.change.map((change) => changeSentence(change, names));
  const also = verdict.also.map((constraint) => constraintSentence(constraint, names));
  const advice = changes.length === 0 ? '' : ` It would start if ${changes.join(' and ')}.`;
  return {
    workload: workload.metadata.uid,
    state: workload.status.state,
    sentence: `${constraintSentence(verdict.binding, names)}${advice}${expectation(workload, verdict)}`,
    constraint: verdict.binding.kind,
    also,
    changes,
    verdict: { ...verdict },
  };
}

/** One sentence for a workload that does not wait. */
export function settledExplanation(workload: Workload): WorkloadExplanation {
  const { state, reason, message } = workload.status;
  const why = message !== '' ? ` ${message}` : reason !== '' ? ` Reason: ${reason}.` : '';
  return {
    workload: workload.metadata.uid,
    state,
    sentence: `It is ${state}, so nothing keeps it waiting.${why}`,
    also: [],
    changes: [],
  };
}

/** Why it waits, for whoever may look at its pods: nothing is said of the workloads of others but how many they are. */
export function waitSentence({ binding, change }: Verdict): string {
  const isPublic = ({ kind }: Change): boolean => kind !== 'end-workloads' && kind !== 'finish-dependency';
  const changes = change.every(isPublic) ? change.map((one) => changeSentence(one, NOBODY)) : [];
  const constraint = 'holders' in binding ? { ...binding, holders: [] } : binding;
  const advice = changes.length === 0 ? '' : ` It would start if ${changes.join(' and ')}.`;
  return `${constraintSentence(constraint, NOBODY)}${advice}`;
}

function constraintSentence(constraint: Constraint, names: WorkloadNames): string {
  switch (constraint.kind) {
    case 'hold':
      return constraint.untilMs === undefined
        ? `It is suspended by ${constraint.by}.`
        : `It waits until ${new Date(constraint.untilMs).toISOString()} (${constraint.by}).`;
    case 'dependency':
      return `It waits for ${listed(constraint.on.map((id) => nameOf(id, names)))} to succeed.`;
    case 'selector':
      return `No node can ever match it: ${listed(
        constraint.ruledOut.map(({ by, value, nodes }) => `${by} ${value} rules out ${plural(nodes, 'node')}`),
      )}.`;
    case 'quota':
      return `Queue ${constraint.queue} lacks quota: ${amount(constraint)} short.${holders(constraint.holders, names)}`;
    case 'priority':
      if (constraint.plan !== undefined) {
        const { workload, startMs } = constraint.plan;
        return `It would delay ${nameOf(workload, names)}, which is to start at ${timeOf(startMs)}.`;
      }
      return constraint.behind === undefined
        ? 'Nothing is in its way: the scheduler decides about it next.'
        : `${nameOf(constraint.behind, names)} and ${plural(constraint.ahead - 1, 'other workload')} come first.`;
    case 'topology':
      if (constraint.sliceSize !== undefined) {
        return `Every ${constraint.sliceSize} of its pods share one ${constraint.level}, and only ${constraint.podsAtBest} of ${constraint.podsNeeded} fit so.`;
      }
      return `No ${constraint.level} has room for all its pods: ${constraint.podsAtBest} of ${constraint.podsNeeded} fit in ${constraint.best}.`;
    case 'gang':
      return `Its pods start together or not at all, and ${constraint.podsThatFit} of ${constraint.podsNeeded} fit now.`;
    case 'node-state':
      return `It would fit if these nodes were healthy: ${listed(constraint.nodes)}.`;
    case 'capacity':
      return `The fleet has no room: ${amount(constraint)} short.${holders(constraint.holders, names)}`;
  }
}

function expectation({ status: { plannedStart } }: Workload, { eta }: Verdict): string {
  if (eta !== undefined) {
    const { lowMs, likelyMs, highMs } = eta;
    return ` It is expected to start at ${timeOf(likelyMs)}, most likely between ${timeOf(lowMs)} and ${timeOf(highMs)}.`;
  }
  return plannedStart === undefined ? '' : ` It is planned to start at ${plannedStart}.`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function changeSentence(change: Change, names: WorkloadNames): string {
  switch (change.kind) {
    case 'raise-quota':
      return `the quota of ${change.queue} for ${change.flavor} rose by ${devices(change.milli)}`;
    case 'free-devices':
      return `${plural(change.perNode, 'device')} of ${change.flavor} came free on ${plural(change.nodes, 'node')} in ${change.domain}`;
    case 'end-workloads':
      return `${listed(change.workloads.map((id) => nameOf(id, names)))} ended`;
    case 'heal-nodes':
      return `${listed(change.nodes)} came back healthy`;
    case 'drop-requirement':
      return `pod set ${change.podSet} dropped its ${change.requirement}${change.level === undefined ? '' : ` (${change.level})`}`;
    case 'ask-less':
      return `pod set ${change.podSet} asked for ${plural(change.count, 'pod')}`;
    case 'raise-priority':
      return `its priority rose to ${change.to}`;
    case 'finish-dependency':
      return `${listed(change.workloads.map((id) => nameOf(id, names)))} succeeded`;
    case 'lift-hold':
      return 'it were released';
  }
}

function amount({ flavor, resource, short }: Extract<Constraint, { kind: 'quota' | 'capacity' }>): string {
  const of = flavor === undefined ? '' : ` of ${flavor}`;
  switch (resource) {
    case 'devices':
      return devices(short) + of;
    case 'cpu':
      return `${short / 1000} CPU`;
    case 'memory':
      return `${short} MiB of memory`;
    case 'pods':
      return plural(short, 'pod');
  }
}

function holders(held: Extract<Constraint, { kind: 'quota' }>['holders'], names: WorkloadNames): string {
  if (held.length === 0) return '';
  const shown = held.slice(0, HOLDERS_SHOWN).map(({ workload }) => nameOf(workload, names));
  const more = held.length > HOLDERS_SHOWN ? [`${held.length - HOLDERS_SHOWN} more`] : [];
  return ` Held by ${listed([...shown, ...more])}.`;
}

function nameOf(id: string, names: WorkloadNames): string {
  return names === NOBODY ? 'another workload' : (names.get(id) ?? id);
}

function devices(milli: number): string {
  return plural(milli / 1000, 'device');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
