import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { Cluster, NodeFaults, type BindOrder, type PodOrder, type PodProgram } from '../../cluster/cluster.js';
import type { PodRef } from '../../core/index.js';
import { podTokenOf } from '../auth/pod-token.js';
import { ServerSecret } from '../auth/server-secret.js';
import { Ledger, type Intent, type IntentOutcome, type NodeWish } from './ledger.js';
import { podNameOf } from './pod-name.js';
import { StatusAddress } from './status-address.js';
import type { Term } from './term.js';

const BATCH = 256;
const PARALLEL = 32;
const CALL_TIMEOUT_MS = 30_000;
const RETRY_MS = 250;
const RETRY_MS_MAX = 30_000;
/** Answers that nobody has taken; beyond that a run ends, and the next one goes on. */
const ANSWERS_MAX = 4096;

export interface RefusedPod {
  readonly pod: PodRef;
  readonly why: string;
  readonly retry: 'elsewhere' | 'never';
}

/** What the driver answered; the ledger is still to be told. */
export interface OutboxRun {
  readonly outcomes: readonly { readonly id: string; readonly outcome: IntentOutcome }[];
  /** Pods that the driver refused for good. */
  readonly refused: readonly RefusedPod[];
  /** Pods that were to be deleted and of which the driver knows nothing, so that it will never observe their end. */
  readonly gone: readonly PodRef[];
  readonly fulfilled: readonly NodeWish[];
}

interface Attempt {
  readonly outcome: IntentOutcome;
  readonly refusal?: RefusedPod;
  readonly isGone?: boolean;
}

interface UnderWay {
  readonly work: Promise<void>;
  /** Resolves when all is answered that was due first, or it is over. */
  readonly first: Promise<void>;
  isOver: boolean;
  /** Somebody came while it ran: there may be more to do than it has seen. */
  wasAsked: boolean;
}

interface Progress {
  readonly answered: () => void;
  readonly wake: () => void;
}

/** As an {@link OutboxRun} while it grows. */
interface Answers {
  readonly outcomes: { readonly id: string; readonly outcome: IntentOutcome }[];
  readonly refused: RefusedPod[];
  readonly gone: PodRef[];
  fulfilled: readonly NodeWish[];
  /** Intents that they are about, and those that were left for later because of them. */
  readonly ids: string[];
}

/**
 * Asks the driver for what the ledger has decided, beside the loop that decides: one run at a time, which goes on for as
 * long as something is due, however seldom the loop comes to take the answers. Every call may be made twice, and what is
 * not taken is asked again; the ledger says when it is done.
 */
@Injectable()
export class OutboxRunner {
  private readonly logger = new Logger('outbox');
  private underWay: UnderWay | undefined;
  private answers = noAnswers();
  /** Intents whose answers the ledger may not have yet: they are not asked again meanwhile. */
  private readonly asked = new Set<string>();
  /** Those of them whose answers were taken last. */
  private taken: readonly string[] = [];
  /** Pods that lose their claim while a run is under way, which may have read that they are to be made or bound. */
  private readonly dropped = new Set<string>();

  constructor(
    private readonly ledger: Ledger,
    private readonly cluster: Cluster,
    private readonly secret: ServerSecret,
    private readonly address: StatusAddress,
    @Optional() @Inject(NodeFaults) private readonly faults: NodeFaults | undefined,
  ) {}

  /**
   * Begins a run, unless one is under way. `wake`: there is something to take, or a reason to begin again. Resolves when
   * the oldest that was due is answered; what went wrong with it is told by `take`.
   */
  begin(term: Term, wake: () => void): Promise<void> {
    if (this.underWay !== undefined) {
      this.underWay.wasAsked = true;
      return this.underWay.first;
    }
    this.dropped.clear();
    let answered: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      answered = resolve;
    });
    const progress = { answered, wake };
    const run: UnderWay = { work: this.run(term, progress), first, isOver: false, wasAsked: false };
    this.underWay = run;
    const end = (hasFailed: boolean): void => {
      run.isOver = true;
      answered();
      if (hasFailed || run.wasAsked) wake();
    };
    run.work.then(
      () => {
        end(false);
      },
      () => {
        end(true);
      },
    );
    return first;
  }

  /**
   * Before the ledger ends their claims: of what was read before, no call is begun any more. A pod that others made is
   * bound once, and would be bound only to be evicted.
   */
  drop(pods: readonly PodRef[]): void {
    for (const pod of pods) this.dropped.add(podNameOf(pod));
  }

  /**
   * What was answered since the last time; throws what went wrong with the run. Whoever comes again has told the ledger
   * what was taken before.
   */
  async take(): Promise<OutboxRun | undefined> {
    for (const id of this.taken) this.asked.delete(id);
    this.taken = [];
    const { underWay } = this;
    if (underWay?.isOver === true) {
      this.underWay = undefined;
      await underWay.work;
    }
    const { answers } = this;
    if (answers.ids.length + answers.fulfilled.length === 0) return undefined;
    this.answers = noAnswers();
    this.taken = answers.ids;
    return answers;
  }

  /** Waits for the calls that are under way, and forgets their answers. */
  async end(): Promise<void> {
    await this.underWay?.work.catch(() => undefined);
    this.underWay = undefined;
    this.answers = noAnswers();
    this.asked.clear();
    this.taken = [];
  }

  private async run(term: Term, progress: Progress): Promise<void> {
    await Promise.all([this.carryOutIntents(term, progress), this.fulfilWishes(progress)]);
  }

  private async carryOutIntents(term: Term, { answered, wake }: Progress): Promise<void> {
    let isMore = true;
    while (isMore && !term.isOver && this.answers.ids.length < ANSWERS_MAX) {
      const due = await this.ledger.dueIntents(BATCH, this.asked);
      isMore = due.length === BATCH;
      for (const { id } of due) this.asked.add(id);
      const work = chainsOf(due).values();
      const worker = async (): Promise<void> => {
        for (const chain of work) await this.carryOut(chain, term);
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
      answered();
      if (due.length > 0) wake();
    }
  }

  private async carryOut(chain: readonly Intent[], term: Term): Promise<void> {
    for (const intent of chain) {
      if (term.isOver) return;
      if (intent.kind !== 'delete-pod' && this.dropped.has(intent.podName)) break;
      const { outcome, refusal, isGone = false } = await this.attempt(intent, term.leadership.epoch);
      const { outcomes, refused, gone } = this.answers;
      outcomes.push({ id: intent.id, outcome });
      if (refusal !== undefined) refused.push(refusal);
      if (isGone) gone.push(intent.pod);
      if (outcome.kind === 'retry') break; // a pod is created before it is deleted
    }
    this.answers.ids.push(...chain.map(({ id }) => id));
  }

  /** What comes of it arrives as observations. A wish of a node that the driver does not know is fulfilled, too. */
  private async fulfilWishes({ wake }: Progress): Promise<void> {
    const { faults } = this;
    if (faults === undefined) return;
    for (const { node, wish } of await this.ledger.nodeWishes()) {
      try {
        await withTimeout<unknown>(wish === 'fail' ? faults.fail(node) : faults.restore(node));
        this.answers.fulfilled = [...this.answers.fulfilled, { node, wish }];
        wake();
      } catch (error) {
        this.logger.warn({ message: 'driver call failed', node, kind: wish, error: String(error) });
      }
    }
  }

  private async attempt(intent: Intent, epoch: number): Promise<Attempt> {
    try {
      if (intent.kind === 'delete-pod') {
        if (intent.isStray) await withTimeout(this.cluster.disown([intent.podName]));
        const answer = await withTimeout(this.cluster.deletePod(intent.podName));
        return { outcome: { kind: 'done' }, isGone: answer === 'unknown' };
      }
      const creation = await withTimeout(
        intent.kind === 'bind-pod'
          ? this.cluster.bindPod(bindOrderOf(intent, epoch))
          : this.cluster.createPod(this.orderOf(intent, epoch)),
      );
      if (creation.kind === 'created') return { outcome: { kind: 'done' } };
      const { why, retry } = creation;
      this.logger.warn({ message: 'pod refused', pod: intent.podName, why });
      return { outcome: { kind: 'refused', why, retry }, refusal: { pod: intent.pod, why, retry } };
    } catch (error) {
      const inMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(intent.attempts, 16));
      this.logger.warn({
        message: 'driver call failed',
        pod: intent.podName,
        kind: intent.kind,
        inMs,
        error: String(error),
      });
      return { outcome: { kind: 'retry', inMs } };
    }
  }

  private orderOf(intent: Extract<Intent, { readonly kind: 'create-pod' }>, epoch: number): PodOrder {
    const { pod, podName, seat, document } = intent;
    return {
      name: podName,
      pod,
      epoch,
      team: intent.team,
      workloadName: intent.workloadName,
      node: seat.node,
      slots: seat.slots,
      cpuMilli: seat.cpuMilli,
      memoryMib: seat.memoryMib,
      rank: intent.rank,
      worldSize: intent.worldSize,
      masterNode: intent.masterNode,
      graceSeconds: document.spec.terminationGracePeriodSeconds,
      program: programOf(intent),
      status: {
        url: this.address.url,
        token: podTokenOf(this.secret.value, { workload: pod.workload, incarnation: pod.incarnation, pod: podName }),
      },
    };
  }
}

function bindOrderOf(
  { podName, pod, found, seat: { node, slots } }: Extract<Intent, { readonly kind: 'bind-pod' }>,
  epoch: number,
): BindOrder {
  return { name: podName, pod, epoch, found, node, slots };
}

function programOf({ document, pod }: Extract<Intent, { readonly kind: 'create-pod' }>): PodProgram {
  const podSet = document.spec.podSets.find(({ name }) => name === pod.podSet);
  if (podSet?.trainer !== undefined) return { kind: 'trainer', job: podSet.trainer };
  const container = podSet?.template?.spec.containers[0];
  if (container === undefined) throw new Error(`pod set ${pod.podSet} has no program`);
  return {
    kind: 'command',
    ...(container.image !== undefined && { image: container.image }),
    command: [...container.command, ...container.args],
    env: Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
  };
}

async function withTimeout<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the driver did not answer within ${CALL_TIMEOUT_MS} ms`));
    }, CALL_TIMEOUT_MS);
  });
  return Promise.race([call, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** The intents of one pod in their order, to be carried out one after the other. */
function chainsOf(intents: readonly Intent[]): readonly (readonly Intent[])[] {
  const chains = new Map<string, Intent[]>();
  for (const intent of intents) {
    const chain = chains.get(intent.podName);
    if (chain === undefined) chains.set(intent.podName, [intent]);
    else chain.push(intent);
  }
  return [...chains.values()];
}

function noAnswers(): Answers {
  return { outcomes: [], refused: [], gone: [], fulfilled: [], ids: [] };
}
