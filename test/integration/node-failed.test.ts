import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StatusReport } from '../../src/trainer/contract.js';
import { checkLedger } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import { RunningSystem } from '../support/running-system.js';
import { CHECKOUT } from '../support/scratch-checkout.js';
import { smallFleet } from '../support/small-fleet.js';
import { TrainingData } from '../support/training-data.js';
import { aScript, aTraining } from '../support/workload-documents.js';

const TEST_MS_MAX = 180_000;
const EPOCHS = 120;

describe('when a node fails', () => {
  const data = new TrainingData();
  let system: RunningSystem;

  beforeAll(async () => {
    system = await RunningSystem.start(smallFleet(2));
  }, TEST_MS_MAX);

  afterAll(async () => {
    await system.server.remove();
    data.remove();
  }, TEST_MS_MAX);

  /** `berth node VERB NAME`, as an operator types it. */
  async function operate(verb: 'fail' | 'restore', node: string): Promise<void> {
    const program = join(CHECKOUT, 'dist', 'cli', 'main.js');
    const child = spawn(process.execPath, [program, 'node', verb, node], {
      env: { ...process.env, BERTH_CONFIG: system.server.configurationFile },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
  }

  async function untilNode(name: string, state: 'lost' | 'healthy'): Promise<void> {
    await until(`node ${name} to be ${state}`, async () => (await system.server.client.node(name)).state === state);
  }

  async function postStatus(token: string, report: StatusReport): Promise<number> {
    const response = await fetch(`${system.server.url}/v1/status`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(report),
    });
    return response.status;
  }

  it(
    'its training goes on elsewhere from the checkpoint, and it gets nothing until it is restored',
    async () => {
      const uid = await system.submit(aTraining('training', data.job(EPOCHS)));
      await system.untilCheckpoint(uid);
      const [pod] = (await system.workload(uid)).status.pods;
      if (pod === undefined) throw new Error('there is a checkpoint, but no pod');
      const token = system.podToken(pod.name);
      await operate('fail', pod.node);
      await untilNode(pod.node, 'lost');
      const again = await system.untilWorkload(uid, 'running again', ({ status: { state, incarnation } }) => {
        return state === 'running' && incarnation === 2;
      });
      expect(again.status.pods.map(({ node }) => node)).not.toContain(pod.node);
      expect(system.pods(uid).filter(({ incarnation }) => incarnation === 1)).toEqual([]);
      const { rank, incarnation } = pod;
      const late = { workload: uid, pod: pod.name, incarnation, rank, sequence: 1_000_000, phase: 'training' } as const;
      expect(await postStatus(token, { ...late, step: 1, stepsTotal: 2 })).toBe(409);

      const wide = await system.submit(aScript('wide', 'exit 0', { devices: 8 }));
      await system.untilState(uid, 'succeeded');
      expect((await system.server.client.report(uid)).resumedFromStep).toBeGreaterThan(0);
      // Two of them need both nodes at once: while one is lost they run one after the other.
      await system.untilState(wide, 'succeeded');
      const both = await Promise.all(
        ['left', 'right'].map((name) => system.submit(aScript(name, 'exec sleep 600', { devices: 8 }))),
      );
      const running = async (): Promise<number> => (await system.server.client.workloads({ state: 'running' })).length;
      await until('one that runs', async () => (await running()) === 1);
      const waiting = await system.server.client.workloads({ state: 'pending' });
      expect(waiting).toHaveLength(1);
      expect((await system.server.client.node(pod.node)).slots.map((slot) => slot.claimedMilli)).not.toContain(1000);

      await operate('restore', pod.node);
      await untilNode(pod.node, 'healthy');
      await until('both to run', async () => (await running()) === both.length, { deadlineMs: 30_000 });
      await checkLedger(system);
    },
    TEST_MS_MAX,
  );
});
