import type { ReactElement } from 'react';

interface ProgressBarProps {
  readonly label: string;
  /** From 0 to 1. */
  readonly share: number;
  readonly isDone: boolean;
}

export function ProgressBar({ label, share, isDone }: ProgressBarProps): ReactElement {
  const percent = Math.floor(share * 100);
  return (
    <div className="flex items-center gap-2">
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        className="h-2 min-w-16 flex-1 overflow-hidden rounded-xs bg-free"
      >
        <div
          className={`h-full transition-[width] duration-300 motion-reduce:transition-none ${isDone ? 'bg-edge' : 'bg-accent'}`}
          style={{ width: `${percent}%` }}
        />
      </div>
      <span className="w-10 shrink-0 whitespace-nowrap text-right text-xs text-muted">{percent} %</span>
    </div>
  );
}
