import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Explanation } from '../../core/index.js';
import { Notifications } from '../database/notifications.js';
import { CoreFactory } from './core-factory.js';
import type { CoreSession } from './core-session.js';
import { DriverWatch } from './driver-watch.js';
import { Ledger, StaleEpochError, type CommandCursor, type Leadership } from './ledger.js';
import { OutboxRunner } from './outbox-runner.js';
import { WakeUp } from './wake-up.js';

/** Leadership: expiry 10 s, renewed every 2 s, contested every half a second. */
const LEASE_MS = 10_000;
const RENEW_MS = 2_000;
const CONTEST_MS = 500;
/** Notifications are hints; this is how late a lost one is noticed. */
const POLL_MS = 1_000;
const BATCH = 500;
/** Settles in one cycle before observations are looked at again. */
const SETTLES_MAX = 50;

/**
 * The scheduler's live loop: ledger → core → ledger → driver. One cycle reads commands and observations, tells the
 * core, commits what it decides, and lets the outbox ask the driver. Whatever throws ends the term: the next one
 * rebuilds the core from the ledger, so no half-known outcome is ever guessed.
 */
@Injectable()
export class LiveLoop {
  private readonly logger = new Logger('scheduler');
  private readonly holder = randomUUID();
  private readonly wakeUp = new WakeUp();
  private session: CoreSession | undefined;
  private leadership: Leadership | undefined;
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(
    private readonly ledger: Ledger,
    private readonly driver: DriverWatch,
    private readonly outbox: OutboxRunner,
    private readonly notifications: Notifications,
    private readonly cores: CoreFactory,
  ) {}

  start(): void {
    this.notifications.listen('berth_commands', () => {
      this.wakeUp.wake();
    });
    this.running = this.run();
  }

  /** Gives the leadership back, so that another can take over at once. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp.wake();
    await this.running;
  }

  /** The answer of the deciding core; `undefined` while this scheduler does not lead. */
  explain(uid: string): Explanation | undefined {
    return this.session?.explain(uid);
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        this.leadership = await this.ledger.campaign(this.holder, LEASE_MS);
        if (this.leadership === undefined) await this.driver.end();
        else await this.lead(this.leadership);
      } catch (error) {
        if (error instanceof StaleEpochError) this.logger.warn({ message: 'leadership lost', epoch: error.epoch });
        else this.logger.error({ message: 'term ended by a failure; rebuilding', error });
      }
      this.session = undefined;
      if (!this.isStopping()) await this.wakeUp.sleep(CONTEST_MS);
    }
    if (this.leadership !== undefined) await this.ledger.resign(this.leadership).catch(() => undefined);
  }

  private async lead(leadership: Leadership): Promise<void> {
    const state = await this.ledger.load();
    const session = this.cores.rebuild(state);
    await this.driver.begin(state, () => {
      this.wakeUp.wake();
    });
    this.session = session;
    this.logger.log({ message: 'leading', epoch: leadership.epoch, workloads: state.workloads.length });
    let { cursor } = state;
    let renewAt = this.cores.now() + RENEW_MS;
    while (!this.isStopping()) {
      if (this.cores.now() >= renewAt) {
        await this.ledger.renew(leadership, LEASE_MS);
        renewAt = this.cores.now() + RENEW_MS;
      }
      const read = await this.takeCommands(cursor, session);
      cursor = read.cursor;
      await this.takeObservations(leadership, session);
      const wakeAtMs = await this.settle(leadership, session);
      const { refused, gone, carriedOut } = await this.outbox.run(leadership);
      for (const pod of gone) this.driver.add({ kind: 'pod-gone', pod });
      for (const refusal of refused) session.refuse({ kind: 'pod-refused', ...refusal });
      const isBusy = carriedOut + refused.length + read.count + this.driver.waiting > 0;
      if (!isBusy) await this.wakeUp.sleep(Math.min(POLL_MS, (wakeAtMs ?? Infinity) - this.cores.now()));
    }
  }

  private async takeCommands(
    after: CommandCursor,
    session: CoreSession,
  ): Promise<{ readonly cursor: CommandCursor; readonly count: number }> {
    const { commands, cursor } = await this.ledger.commandsAfter(after, BATCH);
    for (const command of commands) {
      session.command(command);
      this.driver.order(command);
    }
    return { cursor, count: commands.length };
  }

  /** Ledger first: what the core is told is already true for whoever leads next. */
  private async takeObservations(leadership: Leadership, session: CoreSession): Promise<void> {
    const batch = this.driver.peek(BATCH);
    if (batch.length === 0) return;
    await this.ledger.observe(leadership, batch);
    this.driver.drop(batch.length);
    for (const observation of batch) session.observe(observation);
  }

  private async settle(leadership: Leadership, session: CoreSession): Promise<number | undefined> {
    for (let settles = 0; settles < SETTLES_MAX; settles += 1) {
      const { sets, wakeAtMs } = session.decide();
      if (sets.length === 0) return wakeAtMs;
      for (const outcome of await this.ledger.commit(leadership, sets)) {
        if (outcome.kind === 'refused') this.logger.warn({ message: 'ledger refused a set', ...outcome });
        session.answer(outcome);
      }
    }
    return this.cores.now();
  }

  /** A method, so that the compiler does not believe that it stays false across an await. */
  private isStopping(): boolean {
    return this.stopping;
  }
}
