import type { LogOptions } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer, LogQuery } from '../api/api-server.js';
import type { OwnPod } from './pod-watch.js';
import { resourcePath } from '../api/resource-path.js';
import { PODS } from '../api/resources.js';
import type { Timers } from '../timers.js';

export interface PodLogsOptions {
  readonly api: ApiServer;
  readonly timers: Timers;
}

const TAIL_CHARACTERS = 64 * 1024;
const TAIL_LINES = 1000;
const TAIL_TIMEOUT_MS = 5000;

/** The output of pods, of one container each. */
export class PodLogs {
  constructor(private readonly options: PodLogsOptions) {}

  /** Nothing for a pod without output, and no more when `signal` says so. */
  async *read(pod: OwnPod, { follow, tail, signal }: LogOptions): AsyncGenerator<string, void, undefined> {
    try {
      yield* this.open(pod, { follow, ...(tail !== undefined && { tailLines: tail }) }, signal);
    } catch (error) {
      if (signal?.aborted !== true && !isWithoutOutput(error)) throw error;
    }
  }

  /** The last of it; empty when there is none, or when it cannot be had in time. */
  async tail(pod: OwnPod): Promise<string> {
    const giveUp = new AbortController();
    const cancel = this.options.timers.after(TAIL_TIMEOUT_MS, () => {
      giveUp.abort();
    });
    let text = '';
    try {
      for await (const chunk of this.open(pod, { follow: false, tailLines: TAIL_LINES }, giveUp.signal))
        text = (text + chunk).slice(-TAIL_CHARACTERS);
    } catch {
      // An end without its output is better than none.
    } finally {
      cancel();
    }
    return text;
  }

  private open({ object, output }: OwnPod, query: LogQuery, signal?: AbortSignal): AsyncIterable<string> {
    const { namespace, name } = object;
    const path = resourcePath(PODS, { namespace, name, subresource: 'log' });
    return this.options.api.logs(
      path,
      { container: output.container, ...query },
      signal === undefined ? {} : { signal },
    );
  }
}

/** It never started, or it and its output are gone. */
function isWithoutOutput(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 400 || error.code === 404);
}
