import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StatusReport, TrainingReport } from '../../src/trainer/contract.js';
import type { WorkloadPod } from '../../src/server/workloads/workload.schema.js';
import { ApiCaller, type Answer } from '../support/api-caller.js';
import { RunningSystem } from '../support/running-system.js';
import { TokenIssuer } from '../support/token-issuer.js';
import { twoTeams } from '../support/two-teams.js';
import { aScript } from '../support/workload-documents.js';

const SCRIPT = 'trap "exit 0" TERM; while :; do sleep 0.2; done';

describe("a pod's token", () => {
  let system: RunningSystem;
  let tokens: TokenIssuer;
  let uid: string;
  let otherUid: string;
  let first: WorkloadPod;
  let second: WorkloadPod;
  let token: string;
  let sequence = 100;

  beforeAll(async () => {
    system = await RunningSystem.start(twoTeams());
    tokens = await TokenIssuer.open(system);
    [uid, otherUid] = [
      await system.submit(aScript('pair', SCRIPT, { pods: 2 })),
      await system.submit(aScript('other', SCRIPT)),
    ];
    await system.untilState(otherUid, 'running');
    const { status } = await system.untilState(uid, 'running');
    const [one, two] = status.pods;
    if (one === undefined || two === undefined) throw new Error('the gang of two has not two pods');
    [first, second] = [one, two];
    token = system.podToken(first.name);
  });

  afterAll(async () => {
    await tokens.close();
    await system.server.remove();
  });

  function aReport(over: Partial<StatusReport> = {}): StatusReport {
    sequence += 1;
    const { name: pod, incarnation, rank } = first;
    return { workload: uid, pod, incarnation, rank, sequence, phase: 'training', step: 1, stepsTotal: 9, ...over };
  }

  function post(report: StatusReport, as = token): Promise<Answer> {
    return new ApiCaller(system.server.url, as).call('POST /v1/status', { body: report });
  }

  async function step(): Promise<number | undefined> {
    return (await system.workload(uid)).status.progress?.step;
  }

  it('lets the pod report, and tells it how many it is', async () => {
    expect(await post(aReport({ step: 3 }))).toMatchObject({ status: 200, body: { worldSize: 2 } });
    expect(await step()).toBe(3);
  });

  it('is the one that the server derives, again and again', () => {
    const { name: pod, incarnation } = first;
    expect(tokens.podToken({ workload: uid, incarnation, pod })).toBe(token);
  });

  it('is refused for another workload, another pod and another incarnation of its own', async () => {
    const before = await step();
    const others: Partial<StatusReport>[] = [
      { workload: otherUid },
      { pod: second.name, rank: second.rank },
      { incarnation: first.incarnation + 1 },
      { incarnation: 0 },
    ];
    for (const other of others) {
      expect(await post(aReport({ step: 7, ...other }))).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    expect(await step()).toBe(before);
    expect((await system.workload(otherUid)).status).not.toHaveProperty('progress');
  });

  it('speaks for the rank of its pod only', async () => {
    const before = await step();
    const asLeader = aReport({ pod: second.name, rank: 0, step: 8 });
    expect(await post(asLeader, system.podToken(second.name))).toMatchObject({ status: 403 });
    expect(await step()).toBe(before);
  });

  it('is over with its incarnation: 409, and nothing changes', async () => {
    const before = await step();
    for (const incarnation of [first.incarnation + 1, 0]) {
      const stale = tokens.podToken({ workload: uid, incarnation, pod: first.name });
      expect(await post(aReport({ incarnation, step: 8 }), stale)).toMatchObject({
        status: 409,
        body: { code: 'STALE_INCARNATION', detail: expect.stringContaining(`Incarnation ${incarnation} is over`) },
      });
    }
    expect(await step()).toBe(before);
  });

  it('does not survive any change of any of its characters', async () => {
    const changed = Array.from(token, (character, at) => {
      const other = character === 'A' ? 'B' : 'A';
      return token.slice(0, at) + other + token.slice(at + 1);
    });
    const lengthened = [`${token}A`, `${token}.A`, `${token}=`, token.slice(0, -1), token.replace('.', '')];
    const [claims = '', signature = ''] = token.slice('berth_pod_'.length).split('.');
    const looksAlike = Buffer.from(signature, 'base64url').toString('base64');
    const statuses = new Map<string, number>();
    for (const forged of [
      ...changed,
      ...lengthened,
      `berth_pod_${claims}.${looksAlike}`,
      'berth_pod_',
      'berth_pod_.',
    ]) {
      statuses.set(forged, (await post(aReport(), forged)).status);
    }
    expect([...statuses].filter(([, status]) => status !== 401)).toEqual([]);
  });

  it('opens no route that is for people', async () => {
    const pod = new ApiCaller(system.server.url, token);
    for (const route of [
      `GET /v1/workloads/${uid}`,
      `DELETE /v1/workloads/${uid}`,
      'GET /v1/nodes',
      'GET /v1/events',
    ]) {
      expect(await pod.call(route)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
  });

  it('changes nothing with a sequence that is not newer than the last', async () => {
    const newest = aReport({ step: 5, epochs: [{ epoch: 1, metrics: { loss: 0.5 } }] });
    expect(await post(newest)).toMatchObject({ status: 200 });
    const before = (await system.workload(uid)).status.progress;
    for (const stale of [newest.sequence, newest.sequence - 1, 1]) {
      const late = aReport({ sequence: stale, step: 9, epochs: [{ epoch: 1, metrics: { loss: 0.1 } }] });
      expect(await post(late)).toMatchObject({ status: 200 });
    }
    expect((await system.workload(uid)).status.progress).toEqual(before);
  });

  it('brings one final report: its repetition and a stale one change nothing', async () => {
    const final = aReport({ phase: 'done', report: aTrainingReport(0.75), reportHtml: '<h1>first</h1>' });
    expect(await post(final)).toMatchObject({ status: 200 });
    const rows = (): Promise<readonly object[]> =>
      system.query('SELECT incarnation, html, received_at, body FROM reports WHERE workload = $1', [uid]);
    const before = await rows();
    expect(before).toMatchObject([{ html: '<h1>first</h1>', body: { test: { accuracy: 0.75 } } }]);
    expect(await post(final)).toMatchObject({ status: 200 });
    const late = { ...final, sequence: final.sequence - 1, report: aTrainingReport(0.1), reportHtml: '<h1>late</h1>' };
    expect(await post(late)).toMatchObject({ status: 200 });
    expect(await rows()).toEqual(before);
  });

  it('may bring whatever text a program prints', async () => {
    const odd = 'zero \0, half a pair \ud83d, and a whole one \u{1f6a2}';
    const report = { ...aTrainingReport(0.5), name: odd, classes: [odd] };
    const answer = await post(aReport({ failure: odd, backend: odd, report, reportHtml: odd }));
    expect(answer).toMatchObject({ status: 200 });
    expect((await system.server.client.report(uid)).classes).toEqual([
      'zero \ufffd, half a pair \ufffd, and a whole one \u{1f6a2}',
    ]);
  });

  it('carries no word any more of a pod whose workload was cancelled and has ended', async () => {
    await system.server.client.cancelWorkload(otherUid);
    const ended = await system.untilState(otherUid, 'cancelled');
    expect(ended.status.pods).toMatchObject([{ state: 'gone' }]);
    const [pod] = ended.status.pods;
    const last = aReport({ workload: otherUid, pod: pod?.name ?? '', incarnation: 1, rank: 0 });
    const answer = await post(last, tokens.podToken({ workload: otherUid, incarnation: 1, pod: pod?.name ?? '' }));
    expect(answer).toMatchObject({ status: 409, body: { code: 'STALE_INCARNATION' } });
  });
});

function aTrainingReport(accuracy: number): TrainingReport {
  return {
    name: 'small',
    backend: { name: 'wasm', version: '1', devices: '' },
    seed: 1,
    rows: { train: 8, validation: 1, test: 1 },
    cleaning: [],
    model: { layers: ['dense'], parameters: 3 },
    epochs: [],
    test: { accuracy },
    classes: ['no', 'yes'],
    confusion: [
      [1, 0],
      [0, 1],
    ],
    seconds: 1,
  };
}
