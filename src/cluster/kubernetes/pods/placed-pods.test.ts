import { beforeEach, describe, expect, it } from '@jest/globals';
import { aBindOrder } from '../../../../test/support/pod-orders.js';
import type { KubePod } from '../kube-types.js';
import { PlacedPods } from './placed-pods.js';

const POD = { workload: 'wl-1', incarnation: 1, podSet: 'worker', index: 0 };
const ORDER = aBindOrder({ uid: 'uid-1' }, { pod: POD, node: 'a', slots: [{ slot: 2, milli: 1000 }] });
const PLACED = 'uid-1/wl-1/1/worker/0';

function aPod({ uid = 'uid-1', placed = '', slots = '', node = 'a' }): KubePod {
  const annotations = { 'berth.dev/placed': placed, 'berth.dev/slots': slots };
  return { metadata: { name: 'p', uid, annotations }, spec: node === '' ? {} : { nodeName: node } };
}

let placed: PlacedPods;
beforeEach(() => {
  placed = new PlacedPods();
});

describe('which pod of Berth’s a pod of others is', () => {
  it('is said by its annotations, when neither the ledger nor an order knows it', () => {
    expect(placed.placingOf(aPod({ placed: PLACED, slots: '5' }))).toEqual({ pod: POD, slots: [5] });
    expect(placed.placingOf(aPod({}))).toBeUndefined();
  });

  it.each<[string, (pods: PlacedPods) => void]>([
    [
      'the ledger',
      (pods) => {
        pods.know([{ uid: 'uid-1', pod: POD, node: 'a', slots: [2] }]);
      },
    ],
    [
      'an order',
      (pods) => {
        pods.order(ORDER);
      },
    ],
  ])('is said by %s, whatever was done to its annotations', (_title, tell) => {
    tell(placed);
    for (const text of ['', PLACED, 'uid-1/other/1/worker/0']) {
      expect(placed.placingOf(aPod({ placed: text }))).toMatchObject({ pod: POD, slots: [2] });
    }
  });

  it('is no other’s that the ledger knows, though its annotations say so', () => {
    placed.order(ORDER);
    expect(placed.placingOf(aPod({ uid: 'uid-2', placed: 'uid-2/wl-1/1/worker/0' }))).toBeUndefined();
  });

  it('is none before it is bound, or when it was bound elsewhere', () => {
    placed.order(ORDER);
    expect(placed.placingOf(aPod({ node: '' }))).toBeUndefined();
    expect(placed.placingOf(aPod({ node: 'b' }))).toBeUndefined();
  });

  it('is what the newest order says, until that is refused', () => {
    const pod = { ...POD, incarnation: 2 };
    const again = aBindOrder({ uid: 'uid-1' }, { pod, node: 'a' });
    placed.order(ORDER);
    placed.order(again);
    placed.refuse(ORDER);
    expect(placed.placingOf(aPod({}))).toMatchObject({ pod });
    placed.refuse(again);
    expect(placed.placingOf(aPod({}))).toBeUndefined();
  });

  it('is none when it is let run without Berth', () => {
    placed.order(ORDER);
    placed.leave('uid-1');
    expect(placed.placingOf(aPod({ placed: PLACED }))).toBeUndefined();
  });
});
