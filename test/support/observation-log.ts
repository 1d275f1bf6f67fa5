import type { Observation } from '../../src/cluster/cluster.js';

const DEADLINE_MS = 60_000; // it only ends what hangs
const LOOK_MS = 10;

/** Waits for a condition; the error at the deadline says for which, and what there was instead. */
export async function until<T>(
  what: string,
  find: () => T | undefined | false | Promise<T | undefined | false>,
  { deadlineMs = DEADLINE_MS, state = (): unknown => undefined } = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end)
      throw new Error(`waited ${deadlineMs} ms for ${what}: ${JSON.stringify(await state())}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

type PodObservation = Extract<Observation, { readonly pod: unknown }>;
export type PodEnded = Extract<Observation, { readonly kind: 'pod-ended' }>;

/** What a driver has observed so far, in order. */
export class ObservationLog {
  readonly all: Observation[] = [];

  readonly observe = (observation: Observation): void => {
    this.all.push(observation);
  };

  get kinds(): readonly string[] {
    return this.all.map(({ kind }) => kind);
  }

  ofPod(workload: string, incarnation = 1): readonly PodObservation[] {
    return this.all.filter(
      (one): one is PodObservation =>
        'pod' in one && one.pod.workload === workload && one.pod.incarnation === incarnation,
    );
  }

  async kind(workload: string, kind: PodObservation['kind'], incarnation = 1): Promise<PodObservation> {
    const find = (): PodObservation | undefined =>
      this.ofPod(workload, incarnation).find((observation) => observation.kind === kind);
    return until(`${kind} of ${workload}/${incarnation}`, find, { state: () => this.all });
  }

  /** Waits until the pod has ended and is gone. */
  async end(workload: string, incarnation = 1): Promise<PodEnded> {
    await this.kind(workload, 'pod-gone', incarnation);
    const ended = await this.kind(workload, 'pod-ended', incarnation);
    if (ended.kind !== 'pod-ended') throw new Error('unreachable: the kind was asked for');
    return ended;
  }
}

export async function readAll(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}
