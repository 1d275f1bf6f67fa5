import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { isRigBuilt } from './binaries.mjs';

const HOW_TO_GET_IT = 'build it with Go 1.26 or newer: npm run rig:build.';

/** A suite that needs a real control plane: skipped, and that is said once a run, where its programs are not built. */
export const describeWithRig = isRigBuilt() ? describe : withoutRig();

function withoutRig(): typeof describe.skip {
  if (process.env['BERTH_VERIFY'] === '1') throw new Error(`The tests of Kubernetes need the rig: ${HOW_TO_GET_IT}`);
  if (isFirst()) process.stderr.write(`The tests of Kubernetes are skipped: they need the rig; ${HOW_TO_GET_IT}\n`);
  return describe.skip;
}

/** Each suite asks for itself, in a process of its own; the folder of the run is what they share. */
function isFirst(): boolean {
  const { BERTH_TEST_RUN: run } = process.env;
  try {
    if (run !== undefined) writeFileSync(join(run, 'kubernetes-skipped'), '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
