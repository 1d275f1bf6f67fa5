import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkLedger, isAtRest } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { TrainingData } from '../support/training-data.js';
import { aScript, aTraining } from '../support/workload-documents.js';

const TEST_MS_MAX = 240_000;
const EPOCHS = 120;

/** Two devices, both of team product; team research has none and borrows. Nobody is protected after a start. */
const FILES = {
  fleet: `
levels: [rack, host]
nodes:
  - { name: node, count: 1, rack: r1, accelerators: { model: nvidia-h100, count: 2 }, cpu: 64, memory: 256Gi }
`,
  quotas: `
teams:
  - { name: research, title: Research }
  - { name: product, title: Product }
flavors:
  - { name: nvidia-h100, model: nvidia-h100 }
queues:
  - name: company
  - { name: research, parent: company, team: research, quotas: { nvidia-h100: { nominal: 0 } } }
  - { name: product, parent: company, team: product, quotas: { nvidia-h100: { nominal: 2 } } }
`,
  policy: `
version: eager
preemption: { minRuntime: 0 }
`,
};

describe('an owner that needs what it has lent', () => {
  const data = new TrainingData();
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(FILES);
  }, TEST_MS_MAX);

  afterAll(async () => {
    await system.server.remove();
    data.remove();
  }, TEST_MS_MAX);

  /** The owner's work runs until it is told that it has done enough. */
  async function submitOwner(): Promise<{ readonly uid: string; readonly end: () => void }> {
    const script = 'while [ ! -e "$BERTH_WORKLOAD_DIR/end" ]; do sleep 0.1; done';
    const document = aScript('owner', script, { devices: 2 });
    const uid = await system.submit({ ...document, spec: { ...document.spec, queue: 'product' } });
    return {
      uid,
      end: () => {
        writeFileSync(join(system.server.dataDirectory, 'local', 'workloads', 'product', uid, 'end'), '');
      },
    };
  }

  it(
    'stops the borrowers, which save what they have done, wait, and come to the same end',
    async () => {
      const guests = await Promise.all(
        ['guest-1', 'guest-2'].map((name) => system.submit(aTraining(name, data.job(EPOCHS)))),
      );
      for (const guest of guests) await system.untilCheckpoint(guest);
      const owner = await submitOwner();
      await until(
        'the owner to run',
        async () => {
          await checkLedger(system);
          return (await system.workload(owner.uid)).status.state === 'running';
        },
        { deadlineMs: TEST_MS_MAX },
      );
      for (const guest of guests) {
        const { status } = await system.workload(guest);
        expect(status).toMatchObject({ state: 'pending', retries: 0, charged: {} });
        expect(status.lastEviction).toMatchObject({
          reason: 'reclaimed',
          message: 'A workload of team product took back quota of its own that this one had borrowed.',
        });
      }
      expect(await system.query('SELECT outcome, exit_code FROM pods WHERE workload = ANY($1)', [guests])).toEqual(
        guests.map(() => ({ outcome: 'deleted', exit_code: 75 })),
      );
      owner.end();
      await until(
        'the end of the guests',
        async () => {
          await checkLedger(system);
          const states = await Promise.all(guests.map(async (guest) => (await system.workload(guest)).status.state));
          return states.every((state) => state === 'succeeded');
        },
        { deadlineMs: TEST_MS_MAX },
      );
      for (const guest of guests) {
        expect((await system.workload(guest)).status).toMatchObject({ incarnation: 2, retries: 0 });
        expect((await system.server.client.report(guest)).resumedFromStep).toBeGreaterThan(0);
      }
      expect(
        await system.query('SELECT DISTINCT policy_version FROM audit WHERE action = $1', ['workload.evict']),
      ).toEqual([{ policy_version: 'eager' }]);
      await until('a fleet at rest', () => isAtRest(system), { deadlineMs: TEST_MS_MAX });
      await checkLedger(system);
    },
    TEST_MS_MAX,
  );
});
