import { useMemo, type ReactElement } from 'react';
import type { Queue } from '../server/quotas/quotas.schema.js';
import { EmptyNote } from './empty-note.js';
import { Panel } from './panel.js';
import { QueueItem } from './queue-item.js';
import { queueUses } from './quota-use.js';
import { markOf, type TeamMarks } from './team-marks.js';

interface QueuePanelProps {
  readonly queues: readonly Queue[];
  readonly marks: TeamMarks;
}

export function QueuePanel({ queues, marks }: QueuePanelProps): ReactElement {
  const uses = useMemo(() => queueUses(queues), [queues]);
  return (
    <Panel title="Queues" summary="used of quota, in devices; right of the mark is borrowed">
      {uses.length === 0 ? (
        <EmptyNote>No queues yet: a quota file, given to the server at its start, names them.</EmptyNote>
      ) : (
        <ul className="divide-y divide-line">
          {uses.map((use) => (
            <QueueItem key={use.queue.name} use={use} mark={markOf(marks, use.queue.team)} />
          ))}
        </ul>
      )}
    </Panel>
  );
}
