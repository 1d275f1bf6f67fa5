import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  Cluster,
  type NodeFaults,
  type Observation,
  type PodCreation,
  type PodSeen,
} from '../../src/cluster/cluster.js';
import { DEFAULT_POLICY, type PodRef } from '../../src/core/index.js';
import { ServerSecret } from '../../src/server/auth/server-secret.js';
import { SystemClock } from '../../src/server/clock.js';
import { Notifications } from '../../src/server/database/notifications.js';
import { NodeCommands } from '../../src/server/fleet/node-commands.js';
import { applyQuotaFile } from '../../src/server/quotas/apply-quota-file.js';
import { QuotaFileSchema } from '../../src/server/quotas/quota-file.schema.js';
import { CoreFactory, SchedulingPolicy } from '../../src/server/scheduler/core-factory.js';
import { DriverWatch } from '../../src/server/scheduler/driver-watch.js';
import { LiveLoop } from '../../src/server/scheduler/live-loop.js';
import { OutboxRunner } from '../../src/server/scheduler/outbox-runner.js';
import { PostgresLedger } from '../../src/server/scheduler/postgres-ledger.js';
import { StatusAddress } from '../../src/server/scheduler/status-address.js';
import { aNode } from '../support/fleet-builders.js';
import { LedgerRig } from '../support/ledger-rig.js';
import { until } from '../support/observation-log.js';

/** A driver that answers as the test wants; no real one can be made to hang. */
class HandDriver extends Cluster implements NodeFaults {
  creation: Promise<PodCreation> = Promise.resolve({ kind: 'created' });
  /** Calls that `fail` still refuses. */
  refusals = 0;
  created = 0;
  observe: (observation: Observation) => void = () => undefined;
  readonly disowned: string[] = [];
  readonly failed: string[] = [];

  start(observe: (observation: Observation) => void): Promise<readonly PodSeen[]> {
    this.observe = observe;
    observe({ kind: 'node-seen', node: aNode('node-1') });
    return Promise.resolve([]);
  }

  createPod(): Promise<PodCreation> {
    this.created += 1;
    return this.creation;
  }

  override disown(names: readonly string[]): Promise<void> {
    this.disowned.push(...names);
    return Promise.resolve();
  }

  deletePod(): Promise<'stopping' | 'unknown'> {
    return Promise.resolve('unknown');
  }

  async *readLogs(): AsyncGenerator<string, void, undefined> {
    // it runs nothing
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  fail(node: string): Promise<'failed'> {
    this.refusals -= 1;
    if (this.refusals >= 0) return Promise.reject(new Error('not yet: try again'));
    this.failed.push(node);
    return Promise.resolve('failed');
  }

  restore(): Promise<'restored'> {
    return Promise.resolve('restored');
  }
}

/** Commits what it is told, but its first answer gets lost on the way. */
class ForgetfulLedger extends PostgresLedger {
  private forgets = true;

  override async settleIntents(...told: Parameters<PostgresLedger['settleIntents']>): Promise<void> {
    await super.settleIntents(...told);
    const [, outcomes] = told;
    const isDeletion = (await this.deletions()) > 0 && outcomes.length > 0;
    if (!isDeletion || !this.forgets) return;
    this.forgets = false;
    throw new Error('connection lost');
  }

  constructor(private readonly rig: LedgerRig) {
    super(rig.dataSource);
  }

  get hasForgotten(): boolean {
    return !this.forgets;
  }

  private async deletions(): Promise<number> {
    return (await this.rig.query(`SELECT FROM outbox WHERE kind = 'delete-pod' AND state = 'done'`)).length;
  }
}

/** Says nothing of commands, so that whoever waits for them decides nothing. */
class MuteLedger extends PostgresLedger {
  private speak: () => void = () => undefined;
  private readonly speaking = new Promise<void>((resolve) => {
    this.speak = resolve;
  });

  override async commandsAfter(
    ...asked: Parameters<PostgresLedger['commandsAfter']>
  ): ReturnType<PostgresLedger['commandsAfter']> {
    await this.speaking;
    return super.commandsAfter(...asked);
  }

  end(): void {
    this.speak();
  }
}

describe(LiveLoop.name, () => {
  let rig: LedgerRig;
  let driver: HandDriver;
  let notifications: Notifications;
  let loop: LiveLoop | undefined;

  beforeEach(async () => {
    Logger.overrideLogger(false);
    rig = await LedgerRig.open();
    await rig.ledger.resign(rig.leadership);
    driver = new HandDriver();
    notifications = new Notifications(rig.dataSource);
  });
  afterEach(async () => {
    await loop?.stop();
    await notifications.onModuleDestroy();
    await rig.close();
  });

  async function begin(ledger: PostgresLedger = rig.ledger): Promise<void> {
    const secret = new ServerSecret(rig.dataSource);
    await secret.onModuleInit();
    const address = new StatusAddress();
    address.set('http://localhost');
    const outbox = new OutboxRunner(ledger, driver, secret, address, driver);
    const cores = new CoreFactory(new SchedulingPolicy(DEFAULT_POLICY), new SystemClock());
    loop = new LiveLoop(ledger, new DriverWatch(driver), outbox, notifications, cores);
    loop.start();
  }

  async function untilState(uid: string, state: string): Promise<void> {
    await until(state, async () => (await rig.workload(uid)).state === state);
  }

  it('decides on, and keeps its lease, while the driver does not answer', async () => {
    let answer: (creation: PodCreation) => void = () => undefined;
    driver.creation = new Promise((resolve) => {
      answer = resolve;
    });
    await begin();
    await untilState(await rig.submit('first'), 'starting');
    await untilState(await rig.submit('second'), 'starting');
    const expiry = async () => (await rig.query<{ at: Date }>('SELECT expires_at AS at FROM leadership'))[0]?.at;
    const before = await expiry();
    await until('a longer lease', async () => Number(await expiry()) > Number(before));
    answer({ kind: 'created' });
    const open = `SELECT FROM outbox WHERE state = 'pending'`;
    await until('an empty outbox', async () => (await rig.query(open)).length === 0);
  });

  it('asks for no pod whose claim has ended since the outbox was read', async () => {
    let answer: (creation: PodCreation) => void = () => undefined;
    driver.creation = new Promise((resolve) => {
      answer = resolve;
    });
    await begin();
    const uid = await rig.submit('gang', { pods: 40, milli: 100 });
    await until('as many calls as there may be at once', () => driver.created === 32);
    await rig.cancel(uid);
    await until('its claims to end', async () => (await rig.query('SELECT FROM pods WHERE claimed')).length === 0);
    answer({ kind: 'created' });
    await untilState(uid, 'cancelled');
    expect(driver.created).toBe(32);
  });

  it('carries out all that an earlier term has left, however much it is, before it decides anything', async () => {
    await rig.lead();
    await rig.see(...['node-1', 'node-2', 'node-3', 'node-4'].map((name) => aNode(name)));
    await rig.submit('gang', { pods: 300, milli: 10 });
    await rig.settle();
    expect(await rig.query('SELECT FROM outbox')).toHaveLength(300);
    await rig.ledger.resign(rig.leadership);
    const ledger = new MuteLedger(rig.dataSource);
    await begin(ledger);
    try {
      await until('all pods to be created', () => driver.created === 300, { state: () => driver.created });
    } finally {
      ledger.end();
    }
    await until(
      'the ledger to know it',
      async () => (await rig.query(`SELECT FROM outbox WHERE state <> 'done'`)).length === 0,
    );
  });

  it('asks the driver to fail a node until it has', async () => {
    driver.refusals = 2;
    await begin();
    await until('the node', async () => (await rig.query('SELECT FROM nodes')).length === 1);
    await new NodeCommands(rig.dataSource).order('node-1', 'fail', 'tester');
    await until('the wish to be settled', async () => (await rig.ledger.nodeWishes()).length === 0);
    expect(driver.failed).toEqual(['node-1']);
  });

  it('gives back the slots of a pod that the driver does not know, also when it loses the answer of the ledger', async () => {
    const ledger = new ForgetfulLedger(rig);
    await begin(ledger);
    const uid = await rig.submit('job');
    const open = `SELECT FROM outbox WHERE state <> 'done'`;
    await until('a pod', async () => (await rig.query('SELECT FROM outbox')).length === 1);
    await until('its creation', async () => (await rig.query(open)).length === 0);
    await rig.cancel(uid);
    await untilState(uid, 'cancelled');
    expect(ledger.hasForgotten).toBe(true);
    expect(await rig.query('SELECT FROM pods WHERE claimed OR occupied')).toEqual([]);
  });

  it('disowns, and deletes, a pod that comes when the ledger has let go of it', async () => {
    await begin();
    const uid = await rig.submit('job');
    await until('its pod', () => driver.created === 1);
    await rig.cancel(uid);
    await untilState(uid, 'cancelled');
    expect(driver.disowned).toEqual([]);
    const [pod] = await rig.query<PodRef & { name: string }>(
      'SELECT name, workload, incarnation, pod_set AS "podSet", index FROM pods',
    );
    if (pod === undefined) throw new Error('it was created');
    driver.observe({ kind: 'pod-bound', pod });
    await until('it to be disowned', () => driver.disowned.length > 0);
    expect(driver.disowned).toEqual([pod.name]);
  });

  it('decides by changed quotas as soon as they are applied', async () => {
    await begin();
    await untilState(await rig.submit('before'), 'starting');
    const queues = [{ name: 'added', quotas: { h100: { nominal: 1 } } }];
    const flavors = [{ name: 'h100', model: 'h100' }];
    const file = { teams: [{ name: 'lab', title: 'The lab' }], flavors, queues };
    await applyQuotaFile(rig.dataSource, QuotaFileSchema.parse(file));
    await untilState(await rig.submit('after', { queue: 'added' }), 'starting');
  });
});
