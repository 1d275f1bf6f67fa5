import type { Constraint } from '../../core/index.js';

/** What a workload that waits shows until somebody asks for the explanation with its numbers. */
export const WAIT_SENTENCES: Readonly<Record<Constraint['kind'], string>> = {
  hold: 'It is held back: suspended, or waiting for its next try.',
  dependency: 'It waits for others to succeed first.',
  selector: 'No node matches what it asks for.',
  quota: 'Its queue has not enough quota left.',
  priority: 'Others come first.',
  topology: 'No domain has room for all its pods together.',
  gang: 'Its pods start together, and not all of them fit.',
  'node-state': 'The nodes that it would fit on are not healthy.',
  capacity: 'The fleet has no room for it.',
};
