import { useId, type ReactElement, type ReactNode } from 'react';

interface PanelProps {
  readonly title: string;
  /** A line of figures beside the title. */
  readonly summary?: ReactNode;
  readonly children: ReactNode;
}

export function Panel({ title, summary, children }: PanelProps): ReactElement {
  const id = useId();
  return (
    <section aria-labelledby={id} className="min-w-0 rounded-lg border border-line bg-surface">
      <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2">
        <h2 id={id} className="text-sm font-semibold">
          {title}
        </h2>
        <div className="text-xs text-muted">{summary}</div>
      </header>
      {children}
    </section>
  );
}
