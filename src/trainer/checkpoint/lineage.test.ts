import { describe, expect, it } from '@jest/globals';
import { lineOf, parseCheckpointName, type Marker } from './lineage.js';

const from =
  (markers: readonly Marker[]) =>
  (incarnation: number): Marker | undefined =>
    markers.find((marker) => marker.incarnation === incarnation);

describe(lineOf.name, () => {
  const markers = [
    { incarnation: 1, inherits: undefined },
    { incarnation: 2, inherits: '1-20' },
    { incarnation: 4, inherits: '2-40' },
  ];

  it('goes back over what each incarnation inherited, newest first', () => {
    const names = ['1-10', '1-20', '2-30', '2-40', '4-50', '4-100'];
    expect(lineOf(4, from(markers), names)).toEqual(['4-100', '4-50', '2-40', '2-30', '1-20', '1-10']);
  });

  it('ignores what an older incarnation wrote after the newer had begun', () => {
    expect(lineOf(4, from(markers), ['1-20', '1-30', '2-40', '2-50', '4-50'])).toEqual(['4-50', '2-40', '1-20']);
  });

  it('ignores incarnations outside the line, names of other things, and ends where markers go in a circle', () => {
    expect(lineOf(4, from(markers), ['3-60', '4-50', '4-50.tmp', 'notes', '9-9'])).toEqual(['4-50']);
    const circle = [
      { incarnation: 1, inherits: '2-5' },
      { incarnation: 2, inherits: '1-5' },
    ];
    expect(lineOf(2, from(circle), ['1-5', '2-5'])).toEqual(['2-5', '1-5']);
  });

  it('knows names of checkpoints', () => {
    expect(parseCheckpointName('12-3400')).toEqual({ incarnation: 12, step: 3400 });
    for (const name of ['12', '-1-2', '1-2.tmp', 'a-1']) expect(parseCheckpointName(name)).toBeUndefined();
  });
});
