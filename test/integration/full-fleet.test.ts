import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isSettled } from '../../src/cli/present-workloads.js';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { smallFleet } from '../support/small-fleet.js';
import { aScript } from '../support/workload-documents.js';

const GANGS = 20;
const CANCELLED = 4;
const GANG = { pods: 4, devices: 2 };
const NODES = 2;
const GANGS_AT_ONCE = 2;
const TEST_MS_MAX = 240_000;

/** Ends well only where all pods of the gang are there at the same time. */
const MEETS_ITS_GANG = `
touch "$BERTH_WORKLOAD_DIR/$RANK"
while [ "$(ls "$BERTH_WORKLOAD_DIR" | wc -l)" -lt "$WORLD_SIZE" ]; do sleep 0.05; done`;
const WAITS_FOR_ITS_END = 'exec sleep 600';

describe('a fleet that is asked for ten times what it has', () => {
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(NODES));
  }, TEST_MS_MAX);

  afterAll(() => system.server.remove());

  it(
    `runs all of ${GANGS} gangs, a few at a time, and keeps every law of the ledger meanwhile`,
    async () => {
      // In the midst of the others there are some that would never end, and are cancelled as soon as they run.
      const documents = Array.from({ length: GANGS + CANCELLED }, (_, index) =>
        index % 5 === 2 && index < CANCELLED * 5
          ? aScript(`endless-${index}`, WAITS_FOR_ITS_END, GANG)
          : aScript(`gang-${index}`, MEETS_ITS_GANG, GANG),
      );
      await Promise.all(documents.map((document) => system.submit(document)));
      let looks = 0;
      let runningMax = 0;
      const settled = await until(
        'the end of all gangs',
        async () => {
          await checkLedger(system);
          looks += 1;
          const workloads = await system.server.client.workloads();
          const running = workloads.filter(({ status }) => status.state === 'running');
          runningMax = Math.max(runningMax, running.length);
          const endless = running.filter(({ metadata }) => metadata.name.startsWith('endless'));
          await Promise.all(endless.map(({ metadata }) => system.server.client.cancelWorkload(metadata.uid)));
          return workloads.every(isSettled) && workloads;
        },
        { deadlineMs: TEST_MS_MAX },
      );
      const ends = (name: string): readonly string[] =>
        settled.filter(({ metadata }) => metadata.name.startsWith(name)).map(({ status }) => status.state);
      expect(ends('gang')).toEqual(Array.from({ length: GANGS }, () => 'succeeded'));
      expect(ends('endless')).toEqual(Array.from({ length: CANCELLED }, () => 'cancelled'));
      expect(runningMax).toBeLessThanOrEqual(GANGS_AT_ONCE);
      expect(looks).toBeGreaterThan(0);
      await until('a fleet at rest', () => isAtRest(system));
      await checkLedger(system);
    },
    TEST_MS_MAX,
  );
});
