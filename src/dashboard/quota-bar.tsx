import type { ReactElement } from 'react';
import { formatAmount } from './format-amount.js';
import type { QuotaUse } from './quota-use.js';
import type { TeamMark } from './team-marks.js';

interface QuotaBarProps {
  readonly use: QuotaUse;
  readonly mark: TeamMark;
}

/** As long as the queue may use; a line where its own quota ends, and what is borrowed lies beyond it, hatched. */
export function QuotaBar({ use, mark }: QuotaBarProps): ReactElement {
  const { flavor, nominal, used, borrowed, limit } = use;
  const whole = Math.max(nominal, used, limit ?? 0);
  const percent = (amount: number): string => (whole === 0 ? '0%' : `${(100 * amount) / whole}%`);
  return (
    <li>
      <div className="flex items-baseline justify-between gap-3 text-xs">
        <span className="min-w-0 truncate text-muted">{flavor}</span>
        <span className="shrink-0">
          {borrowed === 0 ? undefined : <span className="mr-2 text-muted">{formatAmount(borrowed)} borrowed</span>}
          {formatAmount(used)} <span className="text-muted">/ {formatAmount(nominal)}</span>
        </span>
      </div>
      <div
        role="meter"
        aria-label={`Use of ${flavor}`}
        aria-valuemin={0}
        aria-valuemax={whole}
        aria-valuenow={used}
        aria-valuetext={quotaSentence(use)}
        title={quotaSentence(use)}
        className="relative mt-1 h-2 overflow-hidden rounded-xs bg-free"
      >
        <span
          className={`absolute inset-y-0 left-0 ${mark.pattern === 'striped' ? 'striped' : ''}`}
          style={{ width: percent(used - borrowed), backgroundColor: mark.color }}
        />
        <span
          className="striped absolute inset-y-0"
          style={{ left: percent(nominal), width: percent(borrowed), backgroundColor: mark.color }}
        />
        {whole > nominal ? (
          <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: `calc(${percent(nominal)} - 1px)` }} />
        ) : undefined}
      </div>
    </li>
  );
}

function quotaSentence({ nominal, used, borrowed, limit }: QuotaUse): string {
  const parts = [`${formatAmount(used)} of ${formatAmount(nominal)} used`];
  if (borrowed > 0) parts.push(`${formatAmount(borrowed)} of it borrowed`);
  if (limit !== undefined) parts.push(`at most ${formatAmount(limit)}`);
  return parts.join(', ');
}
