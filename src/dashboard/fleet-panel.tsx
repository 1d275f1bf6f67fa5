import { useCallback, useMemo, useState, type ReactElement } from 'react';
import type { Node } from '../server/fleet/fleet.schema.js';
import { EmptyNote } from './empty-note.js';
import { formatAmount } from './format-amount.js';
import { NodeCard } from './node-card.js';
import { nodeCondition } from './node-condition.js';
import { NodeDetails } from './node-details.js';
import { nodeGroups } from './node-groups.js';
import { Panel } from './panel.js';
import { TeamLegend } from './team-legend.js';
import type { TeamMarks } from './team-marks.js';

interface FleetPanelProps {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly marks: TeamMarks;
}

export function FleetPanel({ nodes, marks }: FleetPanelProps): ReactElement {
  const groups = useMemo(() => nodeGroups(nodes.values()), [nodes]);
  const [opened, setOpened] = useState<string>();
  const close = useCallback(() => {
    setOpened(undefined);
  }, []);
  const openedNode = opened === undefined ? undefined : nodes.get(opened);
  return (
    <Panel title="Fleet" summary={<FleetFigures nodes={nodes} />}>
      {groups.length === 0 ? (
        <EmptyNote>No nodes yet: they show up here as soon as the driver reports them.</EmptyNote>
      ) : (
        <div className="space-y-4 p-4">
          <TeamLegend marks={marks} />
          {groups.map(({ name, nodes: members }) => (
            <section key={name} aria-label={name}>
              <h3 className="mb-1.5 flex items-baseline gap-2 text-xs font-semibold text-muted first-letter:uppercase">
                <span className="first-letter:uppercase">{name}</span>
                <span className="font-normal">{modelsOf(members)}</span>
              </h3>
              <ul className="grid grid-cols-[repeat(auto-fill,minmax(10rem,1fr))] gap-2">
                {members.map((node) => (
                  <NodeCard key={node.name} node={node} marks={marks} onOpen={setOpened} />
                ))}
              </ul>
            </section>
          ))}
        </div>
      )}
      {openedNode === undefined ? undefined : <NodeDetails key={openedNode.name} node={openedNode} onClose={close} />}
    </Panel>
  );
}

function FleetFigures({ nodes }: { readonly nodes: ReadonlyMap<string, Node> }): ReactElement {
  const all = [...nodes.values()];
  const usable = all.filter((node) => nodeCondition(node).kind === 'usable').length;
  const slots = all.flatMap((node) => node.slots);
  const claimed = slots.reduce((sum, { claimedMilli }) => sum + claimedMilli, 0) / 1000;
  return (
    <>
      {usable} of {all.length} nodes usable · {formatAmount(claimed)} of {formatAmount(slots.length)} devices in use
    </>
  );
}

function modelsOf(nodes: readonly Node[]): string {
  return [...new Set(nodes.flatMap(({ model }) => (model === undefined ? [] : [model])))].sort().join(', ');
}
