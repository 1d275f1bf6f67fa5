import type { ReactElement } from 'react';
import { TeamSwatch } from './team-swatch.js';
import { type TeamMarks } from './team-marks.js';

/** Which colour is which team; a free device has the last one. */
export function TeamLegend({ marks }: { readonly marks: TeamMarks }): ReactElement {
  return (
    <ul aria-label="Teams" className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {[...marks].map(([team, mark]) => (
        <li key={team} className="flex items-center gap-1.5">
          <TeamSwatch mark={mark} />
          {team}
        </li>
      ))}
      <li className="flex items-center gap-1.5">
        <span aria-hidden="true" className="inline-block size-2.5 rounded-xs bg-free ring-1 ring-edge" />
        free
      </li>
    </ul>
  );
}
