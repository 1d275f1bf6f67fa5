import { memo, type ReactElement } from 'react';
import type { Node } from '../server/fleet/fleet.schema.js';
import { ConditionGlyph } from './condition-glyph.js';
import { DeviceSlot } from './device-slot.js';
import { nodeCondition, type NodeCondition } from './node-condition.js';
import type { TeamMarks } from './team-marks.js';

interface NodeCardProps {
  readonly node: Node;
  readonly marks: TeamMarks;
  readonly onOpen: (node: string) => void;
}

const LOOKS: Readonly<Record<NodeCondition['kind'], string>> = {
  usable: 'border-line',
  'no-new-pods': 'border-warn/60 hatched',
  gone: 'border-dashed border-bad/70 hatched',
};

/** Fleets have thousands of nodes and a change touches few: only those render. */
export const NodeCard = memo(function NodeCard({ node, marks, onOpen }: NodeCardProps): ReactElement {
  const { word, kind } = nodeCondition(node);
  return (
    <li
      aria-label={`${node.name}, ${word}`}
      data-condition={word}
      className={`rounded-md border bg-surface p-2 ${LOOKS[kind]}`}
    >
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => {
          onOpen(node.name);
        }}
        className="flex w-full items-center gap-1.5 rounded-sm text-left text-xs hover:text-accent"
      >
        <ConditionGlyph kind={kind} />
        <span className="min-w-0 truncate font-medium">{node.name}</span>
        {kind === 'usable' ? (
          <span className="sr-only">{word}</span>
        ) : (
          <span className="ml-auto shrink-0 text-[11px] font-semibold text-ink">{word}</span>
        )}
      </button>
      <div
        role="group"
        aria-label={`Devices of ${node.name}`}
        className={`mt-2 grid min-h-[15px] grid-cols-[repeat(8,minmax(0,18px))] gap-[3px] ${kind === 'gone' ? 'opacity-40' : ''}`}
      >
        {node.slots.map((slot) => (
          <DeviceSlot key={slot.slot} slot={slot} marks={marks} />
        ))}
        {node.slots.length === 0 ? <span className="col-span-8 text-[11px] text-muted">no devices</span> : undefined}
      </div>
    </li>
  );
});
