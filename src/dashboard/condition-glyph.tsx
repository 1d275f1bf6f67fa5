import type { ReactElement } from 'react';
import type { NodeCondition } from './node-condition.js';

/** Three shapes for three conditions, so that the colour only repeats what the shape says. */
export function ConditionGlyph({ kind }: { readonly kind: NodeCondition['kind'] }): ReactElement {
  const { color, path } = GLYPHS[kind];
  return (
    <svg viewBox="0 0 12 12" aria-hidden="true" className={`size-3 shrink-0 ${color}`}>
      {path}
    </svg>
  );
}

const GLYPHS: Readonly<Record<NodeCondition['kind'], { readonly color: string; readonly path: ReactElement }>> = {
  usable: { color: 'text-ok', path: <circle cx="6" cy="6" r="3.5" fill="currentColor" /> },
  'no-new-pods': {
    color: 'text-warn',
    path: <path d="M6 1.2 11.4 10.8H.6z" fill="currentColor" />,
  },
  gone: {
    color: 'text-bad',
    path: <path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />,
  },
};
