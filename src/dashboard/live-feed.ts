import type { Change } from '../server/events/events.schema.js';

export interface LiveFeedListener {
  readonly onChange: (change: Change) => void;
  /** The connection is gone; it is being tried again. */
  readonly onLost: () => void;
  /** The server answered, but not with a stream: it has no database now, or the session has ended. */
  readonly onRefused: () => void;
}

/** Spread, so that a restarted server does not meet all its pages at once. */
const REOPEN_MS = { least: 1_500, spread: 1_500 };

/**
 * Follows `GET /v1/events` until the returned function is called. The browser reconnects a broken stream by itself, but
 * gives up for good on any answer that is not a stream, so that one is opened anew here.
 */
export function openLiveFeed(listener: LiveFeedListener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const open = (): void => {
    const opened = new EventSource('/v1/events');
    source = opened;
    opened.addEventListener('change', ({ data }: MessageEvent<unknown>) => {
      const change = changeIn(data);
      if (change !== undefined) listener.onChange(change);
    });
    opened.addEventListener('error', () => {
      listener.onLost();
      if (opened.readyState !== EventSource.CLOSED) return;
      listener.onRefused();
      timer = setTimeout(open, REOPEN_MS.least + Math.random() * REOPEN_MS.spread);
    });
  };

  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

/** The server that sent the page sends these, so its kind is check enough; another kind is of a newer server. */
function changeIn(data: unknown): Change | undefined {
  const message: unknown = typeof data === 'string' ? JSON.parse(data) : undefined;
  return isChange(message) ? message : undefined;
}

function isChange(message: unknown): message is Change {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return message.kind === 'everything' || message.kind === 'changed';
}
