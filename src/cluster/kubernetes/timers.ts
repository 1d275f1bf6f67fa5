/** Port: time as the driver uses it. Tests pass their own, so that they wait for nothing. */
export interface Timers {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** A pause between two tries; over at once, without an error, when `signal` says stop. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** A deadline: `run` is called once, unless the returned function has been called before. */
  after(ms: number, run: () => void): () => void;
}

/** A number from 0 to below 1, for jitter. */
export type Random = () => number;

export const systemTimers: Timers = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
    }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
