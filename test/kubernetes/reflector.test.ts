import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ApiServer } from '../../src/cluster/kubernetes/api/api-server.js';
import { Connection } from '../../src/cluster/kubernetes/api/connection.js';
import { keyOf } from '../../src/cluster/kubernetes/api/kube-object.js';
import { Reflector } from '../../src/cluster/kubernetes/reflector/reflector.js';
import { resourcePath } from '../../src/cluster/kubernetes/api/resource-path.js';
import { readServerAccess } from '../../src/cluster/kubernetes/api/server-access.js';
import { systemTimers } from '../../src/cluster/kubernetes/timers.js';
import { until } from '../support/observation-log.js';
import { FaultProxy } from './faults/fault-proxy.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';

const MAPS = { group: '', version: 'v1', plural: 'configmaps' };
const NAMESPACE = 'default';
const OBJECTS = 1000;
const RESYNC_MS = 3000;

describeWithRig('a reflector of a real API server', () => {
  let plane: ControlPlane;
  let proxy: FaultProxy;
  let connection: Connection;
  let api: ApiServer;
  const troubles: string[] = [];

  beforeAll(async () => {
    plane = await ControlPlane.start({ clients: [] });
    proxy = await FaultProxy.start(plane);
    const access = await readServerAccess({ kubeconfig: proxy.kubeconfig });
    const report = (message: string): void => {
      troubles.push(message);
    };
    connection = await Connection.open(access, { timers: systemTimers, connectionsMax: 48, report });
    api = new ApiServer({ connection, timers: systemTimers, random: Math.random });
    await until('the default namespace', async () => api.get('/api/v1/namespaces/default').catch(() => false));
  });
  afterAll(async () => {
    await connection.close();
    await proxy.stop();
    await plane.stop();
  });

  /** Until it has had its effect: the server is killed while this is asked. */
  async function insist(act: () => Promise<unknown>, done: readonly number[]): Promise<void> {
    await until('the write to have its effect', async () =>
      act().then(
        () => true,
        (error: unknown) => done.includes((error as { readonly code?: number }).code ?? 0),
      ),
    );
  }

  it('has what a fresh list has, after 1,000 objects came, changed and went while the server was killed twice', async () => {
    const path = resourcePath(MAPS, { namespace: NAMESPACE });
    const reflector = new Reflector({
      api,
      path,
      project: ({ metadata }) => metadata.resourceVersion,
      report: ({ what }) => troubles.push(what),
      timers: systemTimers,
      random: Math.random,
      limits: { pageSize: 100 },
    });
    const told = new Map<string, string>();
    reflector.onChange(({ kind, key, object }) => {
      if (kind === 'deleted') told.delete(key);
      else told.set(key, object);
    });
    await reflector.start();
    const write = async (index: number): Promise<void> => {
      const name = `map-${index}`;
      const own = resourcePath(MAPS, { namespace: NAMESPACE, name });
      await insist(() => api.create(path, { metadata: { name } }), [409]);
      await insist(() => api.patch(own, { type: 'merge', body: { data: { changed: 'yes' } } }), []);
      if (index % 2 === 0) await insist(() => api.delete(own), [404]);
    };
    const lanes = Array.from({ length: 16 }, async (_, lane) => {
      for (let index = lane; index < OBJECTS; index += 16) await write(index);
    });
    const fault = (async () => {
      for (const size of [50, 250]) {
        await until(`${size} objects`, () => told.size >= size);
        await plane.kill('kube-apiserver');
        await plane.restart('kube-apiserver');
      }
    })();
    await Promise.all([...lanes, fault]);
    const fresh = await api.listPage(path, { limit: 5000 });
    const wanted = new Map(fresh.items.map((item) => [keyOf(item), item.metadata.resourceVersion]));
    await until('the reflector to be there', () => [...wanted].every(([key, version]) => told.get(key) === version));
    const stored = new Map(reflector.entries());
    await reflector.stop();
    expect(wanted.size).toBeGreaterThanOrEqual(OBJECTS / 2);
    expect(new Map([...stored].sort())).toEqual(new Map([...wanted].sort()));
    expect(new Map([...told].sort())).toEqual(new Map([...wanted].sort()));
    expect(troubles).toContain('watch-failed');
  });

  it('forgets what a watch has lost the delete of, once everything is compared again', async () => {
    const path = resourcePath(MAPS, { namespace: NAMESPACE });
    const selection = { labelSelector: 'of=resync' };
    const reflector = new Reflector({
      api,
      path,
      selection,
      project: ({ metadata }) => metadata.name,
      report: ({ what }) => troubles.push(what),
      timers: systemTimers,
      random: Math.random,
      limits: { resyncMs: RESYNC_MS },
    });
    const deleted: string[] = [];
    reflector.onChange(({ kind, object }) => {
      if (kind === 'deleted') deleted.push(object);
    });
    for (const name of ['stays', 'goes']) await api.create(path, { metadata: { name, labels: { of: 'resync' } } });
    await reflector.start();
    let lost = 0;
    proxy.decideEvents(({ type }) => {
      if (type !== 'DELETED') return 'passes';
      lost += 1;
      return 'lost';
    });
    await api.delete(resourcePath(MAPS, { namespace: NAMESPACE, name: 'goes' }));
    // On a slow machine the comparison may come first.
    await until('the delete to be lost', () => lost === 1 || deleted.length > 0);
    await until('the comparison', () => deleted.length > 0);
    proxy.mend();
    await reflector.stop();
    expect(deleted).toEqual(['goes']);
    expect([...reflector.entries()].map(([, name]) => name)).toEqual(['stays']);
  });
});
