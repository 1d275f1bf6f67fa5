import type { Node } from '../server/fleet/fleet.schema.js';

/** What matters of a node at a glance: may new pods come, and is it there at all? */
export interface NodeCondition {
  readonly word: string;
  readonly kind: 'usable' | 'no-new-pods' | 'gone';
}

export function nodeCondition({ state, unschedulable }: Node): NodeCondition {
  switch (state) {
    case 'healthy':
      return unschedulable ? { word: 'cordoned', kind: 'no-new-pods' } : { word: 'healthy', kind: 'usable' };
    case 'suspect':
      return unschedulable
        ? { word: 'suspect, cordoned', kind: 'no-new-pods' }
        : { word: 'suspect', kind: 'no-new-pods' };
    case 'quarantined':
    case 'draining':
    case 'repairing':
    case 'validating':
      return { word: state, kind: 'no-new-pods' };
    case 'lost':
    case 'retired':
      return { word: state, kind: 'gone' };
  }
}
