import type { ReactElement } from 'react';

export function Wordmark(): ReactElement {
  return (
    <span className="flex items-center gap-2 text-sm font-semibold tracking-tight">
      <svg viewBox="0 0 16 16" className="size-5 text-accent" aria-hidden="true">
        <rect width="16" height="16" rx="4" fill="currentColor" />
        <path d="M4 4h3v3H4zM9 4h3v3H9zM4 9h3v3H4z" className="fill-surface" />
      </svg>
      Berth
    </span>
  );
}
