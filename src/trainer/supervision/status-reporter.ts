import { setTimeout as delay } from 'node:timers/promises';
import type { Epoch, StatusReport } from '../contract.js';
import { postStatus, type PostOutcome, type StatusEndpoint } from './post-status.js';

export interface PodIdentity {
  readonly workload: string;
  readonly pod: string;
  readonly incarnation: number;
  readonly rank: number;
}

export interface StatusEvents {
  /** The control plane wants a checkpoint and an end. */
  readonly onStop: () => void;
  /** A newer incarnation runs: nothing more may be written. */
  readonly onSuperseded: () => void;
  readonly warn: (message: string) => void;
}

/** What is known now; a report always carries the newest of it. */
export type StatusUpdate = Partial<
  Omit<StatusReport, 'sequence' | 'epochs' | 'report' | 'reportHtml' | 'failure' | keyof PodIdentity>
>;
export type FinalStatus = Pick<StatusReport, 'report' | 'reportHtml' | 'failure'> & {
  readonly phase: 'done' | 'failed';
};

export interface ReporterTiming {
  readonly heartbeatMillis: number;
  readonly retryFirstMillis: number;
  readonly retryMillisMax: number;
  /** How long the last report is tried. */
  readonly finalMillisMax: number;
}

const TIMING: ReporterTiming = {
  heartbeatMillis: 5_000,
  retryFirstMillis: 250,
  retryMillisMax: 5_000,
  finalMillisMax: 60_000,
};
/** Of epochs that the control plane has not seen; the oldest are dropped, and are in the final report anyway. */
const EPOCHS_MAX = 1000;

/**
 * Tells the control plane what the pod does, one report at a time. News that come while a report is under way, or
 * while the control plane is away, are merged into the next: the buffer cannot grow.
 */
export class StatusReporter {
  private status: StatusUpdate & Pick<StatusReport, 'phase' | 'step' | 'stepsTotal'> = {
    phase: 'loading',
    step: 0,
    stepsTotal: 0,
  };
  private unseen: readonly Epoch[] = [];
  private sequence = 0;
  private isClosed = false;
  private isSuperseded = false;
  private wake = new AbortController();
  private failures = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly endpoint: StatusEndpoint,
    private readonly identity: PodIdentity,
    private readonly events: StatusEvents,
    private readonly timing: ReporterTiming = TIMING,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** Remembered for the next heartbeat. */
  note(update: StatusUpdate): void {
    this.status = { ...this.status, ...update };
  }

  /** Remembered, and sent at once unless the control plane is away. */
  tell(update: StatusUpdate, epochs: readonly Epoch[] = []): void {
    this.note(update);
    this.unseen = [...this.unseen, ...epochs].slice(-EPOCHS_MAX);
    if (this.failures === 0) this.wake.abort();
  }

  /** Ends the heartbeat; `tell` makes one last attempt to pass on what is known. */
  async close(farewell: 'tell' | 'silent'): Promise<void> {
    this.isClosed = true;
    this.wake.abort();
    await this.running;
    if (farewell === 'tell') await this.send({});
  }

  /** Sends the last report, and tries for a while, or until `hurry`; false where the control plane never took it. */
  async finish(final: FinalStatus, hurry?: AbortSignal): Promise<boolean> {
    await this.close('silent');
    const deadline = performance.now() + this.timing.finalMillisMax;
    this.status = { ...this.status, phase: final.phase };
    for (;;) {
      const outcome = await this.send(final);
      if (outcome.kind !== 'failed') return true;
      const pause = this.retryMillis();
      if (hurry?.aborted === true || performance.now() + pause > deadline) {
        this.events.warn(`the control plane did not take the last report (${outcome.why})`);
        return false;
      }
      await pauseFor(pause, hurry);
    }
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      this.wake = new AbortController();
      await this.send({});
      // Closing wakes the pause, also when it came while the report was under way.
      const pause = this.failures === 0 ? this.timing.heartbeatMillis : this.retryMillis();
      await pauseFor(pause, this.wake.signal);
    }
  }

  private async send(extra: Partial<FinalStatus>): Promise<PostOutcome> {
    if (this.isSuperseded) return { kind: 'superseded' };
    const epochs = this.unseen;
    this.sequence += 1;
    const report = {
      ...this.identity,
      ...this.status,
      ...extra,
      sequence: this.sequence,
      ...(epochs.length === 0 ? {} : { epochs: [...epochs] }),
    };
    const outcome = await postStatus(this.endpoint, report);
    switch (outcome.kind) {
      case 'accepted':
        this.forget(epochs);
        if (this.failures > 0) this.events.warn('the control plane answers again');
        this.failures = 0;
        if (outcome.reply.stop === true) this.events.onStop();
        break;
      case 'superseded':
        this.isClosed = true;
        this.isSuperseded = true;
        this.events.onSuperseded();
        break;
      case 'failed':
        if (this.failures === 0)
          this.events.warn(`the control plane does not answer (${outcome.why}); training goes on`);
        this.failures += 1;
        if (outcome.fault === 'report') this.forget(epochs); // the final report has them, too
        break;
    }
    return outcome;
  }

  private forget(epochs: readonly Epoch[]): void {
    const seen = new Set(epochs);
    this.unseen = this.unseen.filter((epoch) => !seen.has(epoch));
  }

  /** Doubles, with up to half as much again by chance, so that pods do not come back all at once. */
  private retryMillis(): number {
    const { retryFirstMillis, retryMillisMax } = this.timing;
    const base = Math.min(retryMillisMax, retryFirstMillis * 2 ** Math.min(this.failures - 1, 16));
    return base * (1 + Math.random() / 2);
  }
}

/** Until the time is up or the signal comes; either is fine. */
async function pauseFor(millis: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(millis, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
