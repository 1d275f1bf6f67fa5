import type { Constraint, Decision, Ms, NodeName, PodRef, SchedulerInput, Seat, WorkloadId } from '../core/index.js';

/** What was told or decided at a time, in its order. */
export type Happening = { readonly atMs: Ms } & (
  { readonly kind: 'told'; readonly input: SchedulerInput } | { readonly kind: 'decided'; readonly decision: Decision }
);

/** One line of a story, for eyes. */
export interface TimelineRow {
  readonly atMs: Ms;
  /** None where it is about nodes or queues. */
  readonly workloads: readonly WorkloadId[];
  readonly what: string;
  readonly nodes: readonly NodeName[];
  readonly tone: 'good' | 'bad' | 'quiet' | 'plain';
}

type Words = Pick<TimelineRow, 'what'> & Partial<TimelineRow>;

/** What happened, one row for each thing. The scene of time 0 is left out, but for what runs already. */
export function timelineOf(history: readonly Happening[]): readonly TimelineRow[] {
  const seats = new Seats();
  const rows: TimelineRow[] = [];
  for (const happening of history) {
    const { atMs } = happening;
    const words =
      happening.kind === 'told' ? wordsOfInput(happening, seats) : wordsOfDecision(happening.decision, seats);
    if (words === undefined) continue;
    const row: TimelineRow = { atMs, workloads: [], nodes: [], tone: 'plain', ...words };
    const last = rows.at(-1);
    // The pods of a workload that runs, the nodes of one entry.
    const isMore = last?.atMs === atMs && last.what === row.what && last.workloads.join() === row.workloads.join();
    if (isMore) rows[rows.length - 1] = { ...row, nodes: [...last.nodes, ...row.nodes] };
    else rows.push(row);
  }
  return rows;
}

/** Where each pod is, since what ends names pods only. */
class Seats {
  readonly #nodes = new Map<string, NodeName>();

  take(seats: readonly Seat[]): readonly NodeName[] {
    for (const { pod, node } of seats) this.#nodes.set(JSON.stringify(pod), node);
    return seats.map(({ node }) => node);
  }

  of(pods: readonly PodRef[]): readonly NodeName[] {
    return pods.flatMap((pod) => this.#nodes.get(JSON.stringify(pod)) ?? []);
  }
}

function wordsOfInput({ atMs, input }: Happening & { readonly kind: 'told' }, seats: Seats): Words | undefined {
  if (input.kind === 'pod-adopted') {
    return { what: 'runs', workloads: [input.seat.pod.workload], nodes: seats.take([input.seat]), tone: 'good' };
  }
  if (atMs === 0) return undefined;
  if (input.kind === 'workload-submitted') return { what: 'is submitted', workloads: [input.workload.id] };
  if (input.kind === 'workload-changed') {
    const { priority } = input.change;
    return { what: priority === undefined ? 'is released' : `gets priority ${priority}`, workloads: [input.workload] };
  }
  if (input.kind === 'queue-set') return { what: `queue ${input.queue.name} is changed` };
  if (input.kind === 'node-seen') return { what: 'node is added', nodes: [input.node.name] };
  if (input.kind === 'node-removed') return { what: 'node is removed', nodes: [input.node], tone: 'bad' };
  if (input.kind === 'node-state-changed') {
    return { what: `node is ${input.state}`, nodes: [input.node], tone: input.state === 'healthy' ? 'plain' : 'bad' };
  }
  return undefined; // of pods the decisions tell
}

function wordsOfDecision(decision: Decision, seats: Seats): Words | undefined {
  const workloads = [decision.workload];
  switch (decision.kind) {
    case 'start': {
      const again = decision.incarnation > 1 ? ' again' : '';
      const after = [...new Set(decision.waitsFor.map(({ workload }) => workload))].join(' and ');
      const what = `starts${again}, ${pods(decision.seats)}${after === '' ? '' : `, after ${after}`}`;
      return { what, workloads, nodes: seats.take(decision.seats), tone: 'good' };
    }
    case 'grow':
      return { what: `grows by ${pods(decision.seats)}`, workloads, nodes: seats.take(decision.seats), tone: 'good' };
    case 'shrink': {
      const what = `shrinks by ${pods(decision.pods)}${forWhom(decision)} (${decision.because.rule})`;
      return { what, workloads, nodes: seats.of(decision.pods), tone: 'bad' };
    }
    case 'evict': {
      const then = decision.then === 'requeue' ? '' : ', for good';
      const what = `is evicted${forWhom(decision)} (${decision.reason})${then}`;
      return { what, workloads, nodes: seats.of(decision.pods), tone: 'bad' };
    }
    case 'release':
      if (decision.because.rule !== 'lost-beyond-minimum') return undefined; // its end is told next
      return { what: `goes on without ${pods(decision.pods)}`, workloads, nodes: seats.of(decision.pods), tone: 'bad' };
    case 'finish':
      return {
        what: decision.outcome === 'cancelled' ? 'is cancelled' : `has ${decision.outcome}`,
        workloads,
        tone: decision.outcome === 'succeeded' ? 'good' : 'bad',
      };
    case 'plan':
      return { what: wordsOfPlan(decision), workloads, nodes: decision.seats.map(({ node }) => node), tone: 'quiet' };
    case 'unplan':
      return { what: 'has no planned start any more', workloads, tone: 'quiet' };
    case 'wait':
      return {
        what: `waits ${WAITS[decision.binding]} (${decision.binding})`,
        workloads: decision.workloads,
        tone: 'quiet',
      };
  }
}

/** With the word that `reason` of an expectation has for it. */
const WAITS: Readonly<Record<Constraint['kind'], string>> = {
  hold: 'until it is released',
  dependency: 'for what it depends on',
  selector: 'for a node as it asks for',
  quota: 'until its queue may use more',
  priority: 'for those before it',
  topology: 'for room in one domain',
  gang: 'for room for all its pods',
  'node-state': 'for healthy nodes',
  capacity: 'for room',
};

function wordsOfPlan({ startMs, holds, because }: Decision & { readonly kind: 'plan' }): string {
  if (holds === 'standing') return 'keeps what comes free there';
  const { before, waitsFor, evicts } = because.facts;
  const instead = typeof before === 'number' ? ` instead of ${before / 1000}s` : '';
  const after = waitsFor === undefined ? '' : `, after ${waitsFor}`;
  const inPlace = evicts === undefined ? '' : `, in the place of ${evicts} ${evicts === 1 ? 'workload' : 'workloads'}`;
  return `is planned for ${startMs / 1000}s${instead}${after}${inPlace}`;
}

function pods(some: readonly unknown[]): string {
  return `${some.length} ${some.length === 1 ? 'pod' : 'pods'}`;
}

function forWhom(decision: { readonly for?: WorkloadId }): string {
  return decision.for === undefined ? '' : ` for ${decision.for}`;
}
