import { useEffect, useRef, type ReactElement } from 'react';
import type { Node } from '../server/fleet/fleet.schema.js';
import { ConditionGlyph } from './condition-glyph.js';
import { formatAmount } from './format-amount.js';
import { nodeCondition } from './node-condition.js';
import { slotLabel } from './device-slot.js';

interface NodeDetailsProps {
  readonly node: Node;
  readonly onClose: () => void;
}

/** All about one node, kept up to date while it is open; what a pointer reads from the titles is here for everybody. */
export function NodeDetails({ node, onClose }: NodeDetailsProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const { word, kind } = nodeCondition(node);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="node-details-title"
      onClose={onClose}
      onClick={({ target }) => {
        if (target === dialog.current) dialog.current.close(); // the backdrop, for the content fills the rest
      }}
      className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded-xl border border-line bg-surface text-ink shadow-xl backdrop:bg-black/40"
    >
      <div className="p-5">
        <div className="flex items-center gap-2">
          <ConditionGlyph kind={kind} />
          <h2 id="node-details-title" className="text-base font-semibold">
            {node.name}
          </h2>
          <span className="text-sm text-muted">{word}</span>
          <button
            type="button"
            autoFocus
            onClick={() => dialog.current?.close()}
            className="ml-auto rounded-md border border-line px-2.5 py-1 text-xs hover:bg-raised"
          >
            Close
          </button>
        </div>
        {node.cause === '' ? undefined : <p className="mt-1 text-sm text-muted">{node.cause}</p>}
        <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5 text-sm">
          {factsOf(node).map(([term, value]) => (
            <div key={term} className="contents">
              <dt className="text-muted">{term}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {node.slots.length === 0 ? undefined : (
          <ul aria-label="Devices" className="mt-4 space-y-1 border-t border-line pt-3 text-sm">
            {node.slots.map((slot) => (
              <li key={slot.slot} className={slot.claimedMilli === 0 ? 'text-muted' : ''}>
                {slotLabel(slot)}
              </li>
            ))}
          </ul>
        )}
      </div>
    </dialog>
  );
}

function factsOf(node: Node): readonly (readonly [term: string, value: string])[] {
  const domains = Object.entries(node.topology).map(([level, domain]) => `${level} ${domain}`);
  return [
    ...(node.models.length === 0 ? [] : [['Model', node.models.join(', ')] as const]),
    ...(domains.length === 0 ? [] : [['Place', domains.join(', ')] as const]),
    ['CPU', `${formatAmount(node.cpuClaimed / 1000)} of ${formatAmount(node.cpuMilli / 1000)}`],
    [
      'Memory',
      `${formatAmount(Math.round(node.memoryClaimed / 1024))} of ${formatAmount(Math.round(node.memoryMib / 1024))} GiB`,
    ],
    ['Pods', formatAmount(node.pods)],
  ];
}
