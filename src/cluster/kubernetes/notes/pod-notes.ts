import type { NodeName } from '../../../core/index.js';
import type { FoundPod } from '../../cluster.js';
import type { ApiServer, CallOptions } from '../api/api-server.js';
import { DelayLine } from './delay-line.js';
import type { PodNote } from './pod-note.js';
import { PodNoteWriter, says, waitEventOf, type PodEvent } from './pod-note-writer.js';
import type { Random, Timers } from '../timers.js';
import type { UnboundPod } from '../pods/unbound-pod.js';
import { WriteQueue } from './write-queue.js';

export interface PodNotesOptions {
  readonly api: Pick<ApiServer, 'patch'>;
  readonly timers: Timers;
  readonly random: Random;
  /** Milliseconds since 1970: what people are shown. */
  readonly wallMs: () => number;
  /** Absent: it is gone, or bound, or another pod has the name. */
  readonly unboundPod: (pod: FoundPod) => UnboundPod | undefined;
  readonly report: (error: unknown) => void;
}

/** Of which it is known what they show; of others only what is written on them is. */
const PODS_MAX = 100_000;
/** Between two notes on one pod. */
const REST_MS = 10_000;
/** Until a note is tried again that was given up, or for which there was no room. */
const AGAIN_MS = 60_000;
/** The API server forgets an event after an hour, if nobody has told it otherwise. */
const RENEWAL_MS = 30 * 60_000;
const QUEUE_LIMITS = {
  itemsMax: 10_000,
  itemsAtOnce: 4,
  pace: { perSecond: 50, burst: 100 },
  triesMax: 4,
  timeoutMs: 10_000,
};

interface Word {
  readonly note: PodNote;
  readonly atMs: number;
}

/**
 * A pod that waits. It is in the queue, being written, at rest after that, showing what there is to show, or put off until
 * there is time for it.
 */
interface NotedPod {
  readonly pod: FoundPod;
  shown: Word | undefined;
  /** Still to be written; the newest. */
  next: Word | undefined;
}

/**
 * Tells on pods why they wait, and where they were put: the condition `PodScheduled` and an event, which is what
 * `kubectl describe pod` shows. Best effort, slow on purpose, and never in the way of a binding: a pod that is bound is
 * not written on any more, and a note that comes too late is refused by the API server.
 */
export class PodNotes {
  private readonly writer: PodNoteWriter;
  private readonly queue: WriteQueue;
  /** By uid. */
  private readonly noted = new Map<string, NotedPod>();
  private readonly resting: DelayLine<NotedPod>;
  private readonly showing: DelayLine<NotedPod>;
  private readonly putOff: DelayLine<NotedPod>;
  private isStopped = false;

  constructor(private readonly options: PodNotesOptions) {
    const { api, timers } = options;
    this.writer = new PodNoteWriter(api);
    this.queue = new WriteQueue({ ...options, limits: QUEUE_LIMITS });
    this.resting = new DelayLine(timers, REST_MS, (noted) => {
      if (noted.next === undefined) this.showing.add(noted);
      else this.enqueue(noted);
    });
    this.showing = new DelayLine(timers, RENEWAL_MS, (noted) => {
      this.renew(noted);
    });
    this.putOff = new DelayLine(timers, AGAIN_MS, (noted) => {
      this.enqueue(noted);
    });
  }

  /** The newest note counts; what a pod shows already is not written again. */
  show(pods: readonly FoundPod[], note: PodNote): void {
    if (this.isStopped) return;
    const word = { note, atMs: this.options.wallMs() };
    for (const pod of pods) {
      const noted = this.noted.get(pod.uid) ?? this.enter(pod, word);
      if (noted === undefined) continue;
      if (isSame(noted.shown?.note, note)) {
        noted.next = undefined;
        if (this.queue.remove(noted)) this.showing.add(noted);
      } else {
        noted.next = word;
        if (this.showing.remove(noted) || this.putOff.remove(noted)) this.enqueue(noted);
      }
    }
  }

  scheduled(pod: FoundPod, node: NodeName): void {
    this.forget(pod.uid);
    const message = `Successfully assigned ${pod.namespace}/${pod.name} to ${node}`;
    const event: PodEvent = { type: 'Normal', reason: 'Scheduled', message, atMs: this.options.wallMs() };
    this.queue.add(event, { calls: 1, run: (call) => this.writer.writeEvent(pod, event, call) });
  }

  /** It waits no more, or is about to be bound: what was still to be said on it is not. */
  forget(uid: string): void {
    const noted = this.noted.get(uid);
    if (noted !== undefined) this.leave(noted);
  }

  /** Nothing is written from here on. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.queue.stop();
    this.resting.stop();
    this.showing.stop();
    this.putOff.stop();
    this.noted.clear();
  }

  /** Absent: it does not wait, or too many do. Those that only show their note make room. */
  private enter(pod: FoundPod, word: Word): NotedPod | undefined {
    const seen = this.options.unboundPod(pod);
    if (seen === undefined) return undefined;
    if (this.noted.size >= PODS_MAX) {
      const { first } = this.showing;
      if (first === undefined) return undefined;
      this.leave(first);
    }
    const noted = { pod, shown: says(seen, word.note) ? word : undefined, next: undefined };
    this.noted.set(pod.uid, noted);
    this.showing.add(noted);
    return noted;
  }

  private leave(noted: NotedPod): void {
    this.noted.delete(noted.pod.uid);
    this.queue.remove(noted);
    this.resting.remove(noted);
    this.showing.remove(noted);
    this.putOff.remove(noted);
  }

  private renew(noted: NotedPod): void {
    if (noted.shown !== undefined) noted.next = { note: noted.shown.note, atMs: this.options.wallMs() };
    noted.shown = undefined;
    this.enqueue(noted);
  }

  private enqueue(noted: NotedPod): void {
    const isQueued = this.queue.add(noted, {
      calls: 2,
      run: (call) => this.writeNewest(noted, call),
      end: (outcome) => {
        if (!this.isNoted(noted)) return;
        if (outcome === 'written') this.resting.add(noted);
        else if (outcome === 'given-up') this.sayLater(noted);
        else this.leave(noted);
      },
    });
    if (!isQueued) this.sayLater(noted);
  }

  private sayLater(noted: NotedPod): void {
    noted.next ??= noted.shown;
    noted.shown = undefined;
    this.putOff.add(noted);
  }

  /** On the pod as the watch has it now, which after a refusal may be another. */
  private async writeNewest(noted: NotedPod, call: CallOptions): Promise<void> {
    const { pod } = noted;
    noted.shown = noted.next ?? noted.shown;
    noted.next = undefined;
    const seen = this.options.unboundPod(pod);
    if (seen === undefined) this.leave(noted);
    if (noted.shown === undefined || seen === undefined || !this.isNoted(noted)) return;
    const { note, atMs } = noted.shown;
    if (!says(seen, note)) await this.writer.writeCondition(pod, seen, { note, atMs, call });
    // It may have been bound in the meantime.
    if (this.isNoted(noted)) await this.writer.writeEvent(pod, waitEventOf(note, atMs), call);
  }

  private isNoted(noted: NotedPod): boolean {
    return this.noted.get(noted.pod.uid) === noted;
  }
}

function isSame(left: PodNote | undefined, right: PodNote): boolean {
  return left?.reason === right.reason && left.message === right.message;
}
