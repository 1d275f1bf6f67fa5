import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { readAll } from '../../../../test/support/observation-log.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer, LogQuery } from '../api/api-server.js';
import { PodLogs } from './pod-logs.js';
import { ownPodOf, type OwnPod } from './pod-watch.js';

let asked: { readonly path: string; readonly query: LogQuery }[];
let output: readonly string[] | Error;
let logs: PodLogs;

beforeEach(() => {
  asked = [];
  output = ['one\n', 'two\n'];
  const api = {
    async *logs(path: string, query: LogQuery) {
      asked.push({ path, query });
      await Promise.resolve();
      if (output instanceof Error) throw output;
      yield* output;
    },
  } as unknown as ApiServer;
  logs = new PodLogs({ api, timers: new ManualTimers() });
});

function aFoundPod(): OwnPod {
  const annotations = { 'kubectl.kubernetes.io/default-container': 'web' };
  const object = {
    metadata: { name: 'shop-7f', namespace: 'team', uid: 'u', annotations },
    spec: { nodeName: 'a', containers: [{ name: 'mesh' }, { name: 'web' }] },
    status: { phase: 'Running' },
  };
  const pod = ownPodOf(object, { pod: { workload: 'wl', incarnation: 1, podSet: 'pods', index: 0 }, slots: [] });
  if (pod === undefined) throw new Error('it was bound');
  return pod;
}

function refusal(code: number): StatusError {
  return new StatusError('', { code, reason: '', retryAfterMs: undefined, causes: [] });
}

describe(PodLogs.name, () => {
  it('reads the container of a found pod by the name of its object', async () => {
    expect(await readAll(logs.read(aFoundPod(), { follow: true, tail: 2 }))).toBe('one\ntwo\n');
    expect(asked).toEqual([
      { path: '/api/v1/namespaces/team/pods/shop-7f/log', query: { container: 'web', follow: true, tailLines: 2 } },
    ]);
  });

  it.each([400, 404])('is empty where there is none: %i', async (code) => {
    output = refusal(code);
    expect(await readAll(logs.read(aFoundPod(), { follow: false }))).toBe('');
  });

  it('throws what is no answer about the output', async () => {
    output = refusal(500);
    await expect(readAll(logs.read(aFoundPod(), { follow: false }))).rejects.toBe(output);
    expect(await logs.tail(aFoundPod())).toBe('');
  });

  it('keeps the end of a long output', async () => {
    output = ['x'.repeat(70_000), 'the end'];
    const tail = await logs.tail(aFoundPod());
    expect(tail).toHaveLength(64 * 1024);
    expect(tail.endsWith('xthe end')).toBe(true);
  });
});
