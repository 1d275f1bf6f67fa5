import { describe, expect, it } from '@jest/globals';
import { renderToStaticMarkup } from 'react-dom/server';
import type { Slot } from '../server/fleet/fleet.schema.js';
import { DeviceSlot, slotLabel } from './device-slot.js';
import { teamMarks } from './team-marks.js';

const holder = (team: string, milli: number): Slot['holders'][number] => ({
  workload: `uid-of-${team}`,
  workloadName: `job-${team}`,
  team,
  pod: `pod-${team}`,
  milli,
});
const shared: Slot = { slot: 3, claimedMilli: 750, holders: [holder('product', 500), holder('research', 250)] };

describe(DeviceSlot.name, () => {
  it('stacks the shares of a device from below, each as high as it is large and in the colour of its team', () => {
    const marks = teamMarks(['product', 'research']);
    const html = renderToStaticMarkup(<DeviceSlot slot={shared} marks={marks} />);
    const shares = [...html.matchAll(/data-team="(\w+)".*?style="([^"]+)"/g)].map(([, team, style]) => [team, style]);
    expect(shares).toEqual([
      ['product', `background-color:${marks.get('product')?.color};height:50%;bottom:0%`],
      ['research', `background-color:${marks.get('research')?.color};height:25%;bottom:50%`],
    ]);
  });
});

describe(slotLabel.name, () => {
  it.each<[want: string, slot: Slot]>([
    ['Slot 0: free', { slot: 0, claimedMilli: 0, holders: [] }],
    ['Slot 1: job-research of research', { slot: 1, claimedMilli: 1000, holders: [holder('research', 1000)] }],
    ['Slot 3: 50 % job-product of product, 25 % job-research of research', shared],
    ['Slot 4: 50 % claimed', { slot: 4, claimedMilli: 500, holders: [] }],
  ])('says: %s', (want, slot) => {
    expect(slotLabel(slot)).toBe(want);
  });
});
