import { readFileSync } from 'node:fs';
import { hardwareCatalogue, type HardwareCatalogue } from '../core/fleet/index.js';

let catalogue: HardwareCatalogue | undefined;

/** The catalogue that comes with the core; the files lie beside it, since the core itself reads nothing. */
export function readCatalogue(): HardwareCatalogue {
  catalogue ??= hardwareCatalogue({
    accelerators: readJson('accelerators.json'),
    migProfiles: readJson('mig-profiles.json'),
    tpuSlices: readJson('tpu-slices.json'),
  });
  return catalogue;
}

function readJson(file: string): unknown {
  const url = new URL(`../core/fleet/hardware/${file}`, import.meta.url);
  const content: unknown = JSON.parse(readFileSync(url, 'utf8'));
  return content;
}
