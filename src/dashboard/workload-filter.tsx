import type { ReactElement } from 'react';

const VIEWS = ['all', 'running', 'pending', 'finished'] as const;
export type WorkloadView = (typeof VIEWS)[number];

interface WorkloadFilterProps {
  readonly view: WorkloadView;
  readonly onView: (view: WorkloadView) => void;
  readonly count: (of: WorkloadView) => number;
}

export function WorkloadFilter({ view, onView, count }: WorkloadFilterProps): ReactElement {
  return (
    <div role="group" aria-label="Show workloads" className="flex gap-1">
      {VIEWS.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === view}
          onClick={() => {
            onView(one);
          }}
          className="rounded-md px-2 py-1 hover:bg-raised aria-pressed:bg-raised aria-pressed:font-medium aria-pressed:text-ink"
        >
          {one} {count(one)}
        </button>
      ))}
    </div>
  );
}
