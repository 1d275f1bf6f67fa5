import type { ReactElement } from 'react';
import type { TeamMark } from './team-marks.js';

export function TeamSwatch({ mark }: { readonly mark: TeamMark }): ReactElement {
  return (
    <span
      aria-hidden="true"
      className={`inline-block size-2.5 shrink-0 rounded-xs ${mark.pattern === 'striped' ? 'striped' : ''}`}
      style={{ backgroundColor: mark.color }}
    />
  );
}
