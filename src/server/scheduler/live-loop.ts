import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { Explanation } from '../../core/index.js';
import { Notifications } from '../database/notifications.js';
import { CoreFactory } from './core-factory.js';
import type { CoreSession } from './core-session.js';
import { DriverWatch } from './driver-watch.js';
import { Ledger, StaleEpochError, type Leadership } from './ledger.js';
import { OutboxRunner } from './outbox-runner.js';
import { Term } from './term.js';
import { WakeUp } from './wake-up.js';

/** Leadership: expiry 10 s, renewed every 2 s, contested every half a second. */
const LEASE_MS = 10_000;
const RENEW_MS = 2_000;
const CONTEST_MS = 500;
/** Each term loads the whole ledger: after terms that failed at once the next one waits, longer each time. */
const REBUILD_MS_MAX = 10_000;
/** Notifications are hints; this is how late a lost one is noticed. */
const POLL_MS = 1_000;
const BATCH = 500;
/** Between cycles of a busy time; it is no longer than the last cycle was. */
const GATHER_MS_MAX = 200;
/** A driver that does not answer keeps a new term from deciding for so long. */
const FIRST_ANSWERS_MS_MAX = 3_000;
/** Settles in one cycle before observations are looked at again. */
const SETTLES_MAX = 50;

/**
 * The scheduler's live loop: ledger → core → ledger → driver. One cycle reads commands, observations and answers of the
 * driver, tells the core, and commits what it decides; beside it the lease is renewed and the outbox asks the driver,
 * so that neither waits for the other. Whatever throws ends the term: the next one rebuilds the core from the ledger,
 * so no half-known outcome is ever guessed.
 */
@Injectable()
export class LiveLoop {
  private readonly logger = new Logger('scheduler');
  private readonly wakeUp = new WakeUp();
  private session: CoreSession | undefined;
  private leadership: Leadership | undefined;
  private readonly stopping = new AbortController();
  /** Terms in a row that did not get through one cycle. */
  private failures = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly driver: DriverWatch,
    private readonly outbox: OutboxRunner,
    private readonly notifications: Notifications,
    private readonly cores: CoreFactory,
  ) {}

  /**
   * `holder` names this scheduler in the leadership row, and leads on under its name without waiting for the lease: by
   * default it is a name that no other has.
   */
  start(holder: string = randomUUID()): void {
    this.notifications.listen('berth_commands', () => {
      this.wakeUp.wake();
    });
    this.running = this.run(holder);
  }

  /** Gives the leadership back, so that another can take over at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wakeUp.wake();
    await this.running;
  }

  /** The answer of the deciding core; `undefined` while this scheduler does not lead. */
  explain(uid: string): Explanation | undefined {
    return this.session?.explain(uid);
  }

  private async run(holder: string): Promise<void> {
    while (!this.isStopping()) {
      try {
        const askedAtMs = performance.now();
        this.leadership = await this.ledger.campaign(holder, LEASE_MS);
        if (this.leadership === undefined) await this.driver.follow();
        else await this.serve(new Term(this.leadership, LEASE_MS, askedAtMs));
      } catch (error) {
        if (error instanceof StaleEpochError) this.logger.warn({ message: 'leadership lost', epoch: error.epoch });
        else this.logger.error({ message: 'term ended by a failure; rebuilding', error });
      }
      this.session = undefined;
      await this.pause(pauseMs(this.failures));
    }
    if (this.leadership !== undefined) await this.ledger.resign(this.leadership).catch(() => undefined);
  }

  /** One term, until somebody stops it or it fails. */
  private async serve(term: Term): Promise<void> {
    this.failures += 1;
    try {
      void this.keepLease(term);
      await this.lead(term);
    } finally {
      term.end();
      await this.outbox.end();
    }
  }

  /** However long a cycle takes. */
  private async keepLease(term: Term): Promise<void> {
    try {
      for (;;) {
        await delay(RENEW_MS, undefined, { signal: term.signal });
        const askedAtMs = performance.now();
        await this.ledger.renew(term.leadership, LEASE_MS);
        term.renewed(askedAtMs);
      }
    } catch (error) {
      term.end(error); // without effect when the term is over already
      this.wakeUp.wake();
    }
  }

  private async lead(term: Term): Promise<void> {
    const { leadership } = term;
    const state = await this.ledger.load();
    const wake = (): void => {
      this.wakeUp.wake();
    };
    await this.driver.begin(state, wake);
    // A gang that the last leader left bound in part is whole before anything else is thought of: that takes the processor.
    await Promise.race([this.outbox.begin(term, wake), this.pause(FIRST_ANSWERS_MS_MAX)]);
    const session = this.cores.rebuild(state);
    this.session = session;
    this.logger.log({ message: 'leading', epoch: leadership.epoch, workloads: state.workloads.length });
    let { cursor } = state;
    while (!this.isStopping()) {
      term.throwIfOver();
      const begunMs = performance.now();
      const { commands, cursor: next } = await this.ledger.commandsAfter(cursor, BATCH);
      if (commands.some(({ kind }) => kind === 'quotas-changed')) return;
      for (const command of commands) session.command(command);
      cursor = next;
      await this.takeAnswers(leadership, session);
      await this.takeObservations(leadership, session);
      const wakeAtMs = await this.settle(leadership, session);
      void this.outbox.begin(term, wake);
      this.failures = 0;
      const isBusy = commands.length + this.driver.waiting > 0;
      // Much to do comes in small pieces: what gathers meanwhile is done at once.
      if (isBusy) await this.pause(Math.min(GATHER_MS_MAX, performance.now() - begunMs));
      else await this.wakeUp.sleep(Math.min(POLL_MS, (wakeAtMs ?? Infinity) - this.cores.now()));
    }
  }

  /** What the driver will not observe by itself is in the inbox before the ledger believes that it was asked. */
  private async takeAnswers(leadership: Leadership, session: CoreSession): Promise<void> {
    const run = await this.outbox.take();
    if (run === undefined) return;
    for (const pod of run.gone) this.driver.add({ kind: 'pod-gone', pod });
    if (run.outcomes.length > 0) await this.ledger.settleIntents(leadership, run.outcomes);
    if (run.fulfilled.length > 0) await this.ledger.settleWishes(leadership, run.fulfilled);
    for (const refusal of run.refused) session.refuse({ kind: 'pod-refused', ...refusal });
  }

  /** Ledger first: what the core is told is already true for whoever leads next. */
  private async takeObservations(leadership: Leadership, session: CoreSession): Promise<void> {
    const batch = this.driver.peek(BATCH);
    if (batch.length === 0) return;
    const unknown = await this.ledger.observe(leadership, batch);
    this.driver.drop(batch.length);
    for (const observation of batch) {
      if (observation.kind !== 'workload-found' || !unknown.has(observation.workload)) session.observe(observation);
    }
  }

  private async settle(leadership: Leadership, session: CoreSession): Promise<number | undefined> {
    for (let settles = 0; settles < SETTLES_MAX; settles += 1) {
      const { sets, wakeAtMs } = session.decide();
      if (sets.length === 0) return wakeAtMs;
      this.outbox.drop(sets.flatMap(({ decisions }) => decisions).flatMap((it) => ('pods' in it ? it.pods : [])));
      for (const outcome of await this.ledger.commit(leadership, sets)) {
        if (outcome.kind === 'refused') this.logger.warn({ message: 'ledger refused a set', ...outcome });
        session.answer(outcome);
      }
      this.driver.showWaits(session.waitsIn(sets));
      this.driver.releaseFound(session.endsIn(sets));
    }
    return this.cores.now();
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** A method, so that the compiler does not believe that it stays false across an await. */
  private isStopping(): boolean {
    return this.stopping.signal.aborted;
  }
}

/** Half of it by chance, so that replicas that fail together do not come again together. */
function pauseMs(failures: number): number {
  if (failures <= 1) return CONTEST_MS;
  const ms = Math.min(REBUILD_MS_MAX, CONTEST_MS * 2 ** Math.min(failures, 16));
  return ms * (0.5 + Math.random() / 2);
}
