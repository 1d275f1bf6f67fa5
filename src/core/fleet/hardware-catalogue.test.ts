import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { hardwareCatalogue, tpuSlice, withCatalogued } from './hardware-catalogue.js';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`hardware/${name}`, import.meta.url), 'utf8')) as unknown;
const catalogue = hardwareCatalogue({
  accelerators: read('accelerators.json'),
  migProfiles: read('mig-profiles.json'),
  tpuSlices: read('tpu-slices.json'),
});

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
  it('knows the devices by the id of their model', () => {
    expect(catalogue.devices.size).toBe(12);
    expect(catalogue.devices.get('google-tpu-v5p')).toEqual({ memoryMib: 95 * 1024, profiles: [] });
    expect(catalogue.devices.get('nvidia-h100-sxm-80gb')).toMatchObject({ memoryMib: 76_293 });
  });

  it('knows which partitions a device may be cut into, and where they may lie', () => {
    const profiles = catalogue.devices.get('nvidia-h200-sxm-141gb')?.profiles ?? [];
    expect(profiles.map(({ name }) => name)).toEqual([
      '1g.18gb',
      '1g.35gb',
      '2g.35gb',
      '3g.71gb',
      '4g.71gb',
      '7g.141gb',
    ]);
    expect(profiles[2]).toEqual({ name: '2g.35gb', eighths: 2, positions: [0, 2, 4] });
  });

  it('prefers what a process sees of the memory to what is printed on the box', () => {
    expect(catalogue.devices.get('nvidia-b200-sxm')?.memoryMib).toBe(Math.floor(179_000_000_000 / 1_048_576));
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
    expect(() => hardwareCatalogue({ accelerators: {}, migProfiles: {}, tpuSlices: {} })).toThrow(
      'the catalogue has a list',
    );
  });

  it('throws on a partition that hangs over its device', () => {
    const profiles = [{ name: '3g', eighths: 4, positions: [6] }];
    const migProfiles = { models: [{ accelerator: 'nvidia-l40s', profiles }] };
    const files = { accelerators: read('accelerators.json'), tpuSlices: read('tpu-slices.json'), migProfiles };
    expect(() => hardwareCatalogue(files)).toThrow('a partition lies on its device');
  });
});

describe(withCatalogued.name, () => {
  const model = 'nvidia-a100-sxm-80gb';

  it('adds memory and partitions to devices of a model that is known', () => {
    const { memoryMib, profiles } = withCatalogued(catalogue, { model, count: 8 });
    expect([memoryMib, profiles?.length]).toEqual([76_293, 6]);
  });

  it('leaves what the devices tell themselves, and models that it does not know', () => {
    const told = { model, count: 8, memoryMib: 40_000, profiles: [] };
    expect(withCatalogued(catalogue, told)).toEqual(told);
    expect(withCatalogued(catalogue, { model: 'h100', count: 8 })).toEqual({ model: 'h100', count: 8 });
    expect(withCatalogued(catalogue, { model: 'nvidia-l40s', count: 1 })).not.toHaveProperty('profiles');
  });
});
