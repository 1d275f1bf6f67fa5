import type { ReactElement } from 'react';
import type { Slot } from '../server/fleet/fleet.schema.js';
import { markOf, type TeamMarks } from './team-marks.js';

interface DeviceSlotProps {
  readonly slot: Slot;
  readonly marks: TeamMarks;
}

/** One device; shares of a device fill it from below, each as high as it is large. */
export function DeviceSlot({ slot, marks }: DeviceSlotProps): ReactElement {
  const label = slotLabel(slot);
  return (
    <span
      role="img"
      aria-label={label}
      title={label}
      data-claimed={slot.claimedMilli}
      className="relative aspect-square overflow-hidden rounded-[4px] bg-free/60 ring-1 ring-edge/45 ring-inset"
    >
      {sharesOf(slot).map(({ pod, team, milli, below }) => {
        const mark = markOf(marks, team);
        return (
          <span
            key={pod}
            data-team={team}
            className={`absolute inset-x-0 ${milli === 1000 ? '' : 'border-t border-surface'} ${mark.pattern === 'striped' ? 'striped' : ''}`}
            style={{ backgroundColor: mark.color, height: `${milli / 10}%`, bottom: `${below / 10}%` }}
          />
        );
      })}
    </span>
  );
}

type Share = Slot['holders'][number] & { readonly below: number };

function sharesOf({ holders }: Slot): readonly Share[] {
  let below = 0;
  return holders.map((holder) => {
    const share = { ...holder, below };
    below += holder.milli;
    return share;
  });
}

/** E.g. `Slot 3: 50 % lm-eval of research, 25 % chat of product`. */
export function slotLabel({ slot, claimedMilli, holders }: Slot): string {
  if (claimedMilli === 0) return `Slot ${slot}: free`;
  const shares = holders.map(({ milli, workloadName, team }) => {
    const share = milli === 1000 ? '' : `${milli / 10} % `;
    return `${share}${workloadName ?? 'a workload'} of ${team}`;
  });
  // A claim can be shown before the pod that holds it.
  return `Slot ${slot}: ${shares.length === 0 ? `${claimedMilli / 10} % claimed` : shares.join(', ')}`;
}
