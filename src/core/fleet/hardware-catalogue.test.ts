import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { hardwareCatalogue, tpuSlice } from './hardware-catalogue.js';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`hardware/${name}`, import.meta.url), 'utf8')) as unknown;
const catalogue = hardwareCatalogue(read('accelerators.json'), read('tpu-slices.json'));

const cases: Record<string, { model: string; topology: string; want: unknown }> = {
  'four chips on one host': {
    model: 'google-tpu-v5p',
    topology: '2x2x1',
    want: { kind: 'slice', hosts: 1, chips: 4, chipsPerHost: 4 },
  },
  'eight chips on two hosts': {
    model: 'google-tpu-v5p',
    topology: '2x2x2',
    want: { kind: 'slice', hosts: 2, chips: 8, chipsPerHost: 4 },
  },
  'a topology of the long list': {
    model: 'google-tpu-7x',
    topology: '4x4x8',
    want: { kind: 'slice', hosts: 32, chips: 128, chipsPerHost: 4 },
  },
  'a slice that is smaller than a host': {
    model: 'google-tpu-v5e',
    topology: '2x2',
    want: { kind: 'slice', hosts: 1, chips: 4, chipsPerHost: 4 },
  },
  'eight chips to a host': {
    model: 'google-tpu-v6e',
    topology: '4x4',
    want: { kind: 'slice', hosts: 2, chips: 16, chipsPerHost: 8 },
  },
};

describe(tpuSlice.name, () => {
  it.each(Object.entries(cases))('knows %s', (_title, { model, topology, want }) => {
    expect(tpuSlice(catalogue, model, topology)).toEqual(want);
  });

  it('names what it knows, for an unknown model or topology', () => {
    expect(tpuSlice(catalogue, 'abacus', '2x2')).toMatchObject({ kind: 'unknown-model' });
    const unknown = tpuSlice(catalogue, 'google-tpu-v5p', '3x3x3');
    expect(unknown).toMatchObject({ kind: 'unknown-topology' });
    expect(unknown.kind === 'unknown-topology' && unknown.known.includes('2x2x2')).toBe(true);
  });
});

describe(hardwareCatalogue.name, () => {
  it('knows the models by id', () => {
    expect(catalogue.models).toHaveLength(12);
    expect(catalogue.models).toContain('nvidia-h100-sxm-80gb');
  });

  it('gives every slice whole hosts', () => {
    for (const [model, { chipsOf }] of catalogue.tpuGenerations) {
      for (const topology of chipsOf.keys()) {
        const slice = tpuSlice(catalogue, model, topology);
        expect(slice.kind === 'slice' && Number.isInteger(slice.hosts)).toBe(true);
      }
    }
  });

  it('throws on a file of another form', () => {
    expect(() => hardwareCatalogue({}, {})).toThrow('the catalogue has a list');
  });
});
