import { describe, expect, it } from '@jest/globals';
import { aBindOrder } from '../../../../test/support/pod-orders.js';
import { bindingAnnotations, isPlacedBy, placedRefOf } from './placed-annotation.js';
import type { KubePod } from '../kube-types.js';

const ORDER = aBindOrder(
  { uid: 'uid-1' },
  {
    slots: [
      { slot: 2, milli: 1000 },
      { slot: 5, milli: 1000 },
    ],
    epoch: 7,
  },
);

function aPod(placed: string, { uid = 'uid-1', nodeName = 'a' } = {}): KubePod {
  return {
    metadata: { name: 'p', uid, annotations: { 'berth.dev/placed': placed } },
    spec: nodeName === '' ? {} : { nodeName },
  };
}

describe('what a binding says on a found pod', () => {
  it('is which pod of which workload it is, its slots, and the term of office', () => {
    expect(bindingAnnotations(ORDER)).toEqual({
      'berth.dev/placed': 'uid-1/wl-1/1/worker/0',
      'berth.dev/slots': '2,5',
      'berth.dev/epoch': '7',
    });
  });

  it('is read back, and known as that of its order in a later term of office, too', () => {
    const pod = aPod('uid-1/wl-1/1/worker/0');
    expect(placedRefOf(pod)).toEqual(ORDER.pod);
    expect(isPlacedBy(pod, { ...ORDER, epoch: 8 })).toBe(true);
    expect(isPlacedBy(pod, { ...ORDER, pod: { ...ORDER.pod, incarnation: 2 } })).toBe(false);
  });

  const nothing: Record<string, KubePod> = {
    'copied to another pod': aPod('uid-1/wl-1/1/worker/0', { uid: 'uid-2' }),
    'on a pod that is not bound': aPod('uid-1/wl-1/1/worker/0', { nodeName: '' }),
    'with a word too much': aPod('uid-1/wl-1/1/worker/0/0'),
    'with a word too few': aPod('uid-1/wl-1/1/worker'),
    'without a workload': aPod('uid-1//1/worker/0'),
    'with a number that is written otherwise': aPod('uid-1/wl-1/01/worker/0'),
    'with a number that is none': aPod('uid-1/wl-1/one/worker/0'),
    'that is empty': aPod(''),
  };
  it.each(Object.entries(nothing))('says nothing %s', (_title, pod) => {
    expect(placedRefOf(pod)).toBeUndefined();
  });
});
