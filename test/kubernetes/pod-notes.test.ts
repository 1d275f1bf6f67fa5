/**
 * What kubectl shows of pods that wait. The worst that could happen is a pod that is bound and says that it is not, so
 * the real server is asked what it makes of a note that comes too late.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { FoundPod } from '../../src/cluster/cluster.js';
import { StatusError } from '../../src/cluster/kubernetes/api/api-error.js';
import { ApiServer } from '../../src/cluster/kubernetes/api/api-server.js';
import { Connection } from '../../src/cluster/kubernetes/api/connection.js';
import type { KubeCondition } from '../../src/cluster/kubernetes/kube-types.js';
import { PodNotes } from '../../src/cluster/kubernetes/notes/pod-notes.js';
import { Reflector } from '../../src/cluster/kubernetes/reflector/reflector.js';
import { resourcePath } from '../../src/cluster/kubernetes/api/resource-path.js';
import { PODS } from '../../src/cluster/kubernetes/api/resources.js';
import { readServerAccess } from '../../src/cluster/kubernetes/api/server-access.js';
import { systemTimers } from '../../src/cluster/kubernetes/timers.js';
import { unboundPodOf, type UnboundPod } from '../../src/cluster/kubernetes/pods/unbound-pod.js';
import { until } from '../support/observation-log.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { createNamespace } from './rig/namespaces.js';
import { serviceAccountKubeconfig } from './rig/service-account.js';

const TEAM = 'research';
const FULL = { reason: 'Unschedulable', message: 'No node has 8 free GPUs: 3 are free on gpu-0-0.' };
const QUOTA = { reason: 'WaitingForQuota', message: 'Queue research has no GPU left.' };
/** Those of docs/reference/kubernetes.md, as far as notes need them. */
const RIGHTS = [
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
];

interface StoredPod {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly conditions?: readonly (KubeCondition & { readonly lastTransitionTime: string })[] };
}

interface EventList {
  readonly items: readonly { readonly involvedObject: { readonly uid: string } }[];
}

describeWithRig('notes on pods', () => {
  let plane: ControlPlane;
  let connection: Connection;
  let api: ApiServer;
  let watch: Reflector<{ readonly uid: string; readonly unbound: UnboundPod | undefined }>;
  let notes: PodNotes;
  let reported: unknown[];
  let podCount = 0;

  beforeAll(async () => {
    plane = await ControlPlane.start({ clients: ['kube-controller-manager'] });
    await createNamespace(plane.api, TEAM);
    const kubeconfig = await serviceAccountKubeconfig(plane, 'berth', RIGHTS);
    const access = await readServerAccess({ kubeconfig });
    connection = await Connection.open(access, { timers: systemTimers, connectionsMax: 48, report: () => undefined });
    api = new ApiServer({ connection, timers: systemTimers, random: Math.random });
    watch = new Reflector({
      api,
      timers: systemTimers,
      random: Math.random,
      report: () => undefined,
      path: resourcePath(PODS),
      project: (pod) => ({ uid: pod.metadata.uid, unbound: unboundPodOf(pod) }),
    });
    await watch.start();
  });
  afterAll(async () => {
    await watch.stop();
    await connection.close();
    await plane.stop();
  });
  beforeEach(() => {
    reported = [];
    notes = start({ api });
  });
  afterEach(async () => {
    await notes.stop();
    expect(reported).toEqual([]);
  });

  type Wishes = Pick<ConstructorParameters<typeof PodNotes>[0], 'api'> & {
    readonly unboundPod?: (pod: FoundPod) => UnboundPod | undefined;
  };

  function start(wishes: Wishes): PodNotes {
    return new PodNotes({
      timers: systemTimers,
      random: Math.random,
      wallMs: Date.now,
      unboundPod: seen,
      report: (error) => reported.push(error),
      ...wishes,
    });
  }

  function seen({ namespace, name, uid }: FoundPod): UnboundPod | undefined {
    const pod = watch.get(`${namespace}/${name}`);
    return pod?.uid === uid ? pod.unbound : undefined;
  }

  async function aPod(): Promise<FoundPod> {
    podCount += 1;
    const name = `pod-${podCount}`;
    const body = {
      metadata: { name },
      spec: { schedulerName: 'berth', containers: [{ name: 'main', image: 'none' }] },
    };
    const { metadata } = await plane.api.ask<StoredPod>({ method: 'POST', path: pathOf(), body });
    const pod = { namespace: TEAM, name, uid: metadata.uid };
    await until('the watch to see the pod', () => seen(pod));
    return pod;
  }

  const pathOf = (name?: string, subresource?: string): string =>
    resourcePath(PODS, { namespace: TEAM, ...(name && { name }), ...(subresource && { subresource }) });

  const stored = ({ name }: FoundPod): Promise<StoredPod> => plane.api.ask({ method: 'GET', path: pathOf(name) });

  async function scheduledOf(pod: FoundPod) {
    return (await stored(pod)).status.conditions?.find(({ type }) => type === 'PodScheduled');
  }

  const describePod = ({ name }: FoundPod): Promise<string> =>
    plane.kubectl.run(['describe', 'pod', name, '--namespace', TEAM]);

  async function shows(pod: FoundPod, message: string): Promise<string> {
    return until(`kubectl to show "${message}"`, async () => {
      const text = await describePod(pod);
      return text.includes(message) && text;
    });
  }

  async function bind({ name, uid }: FoundPod): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'gpu-0-0' };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, uid }, target };
    await plane.api.ask({ method: 'POST', path: pathOf(name, 'binding'), body });
  }

  it('shows in `kubectl describe pod` why it waits, and sets the condition', async () => {
    const pod = await aPod();
    notes.show([pod], FULL);
    const text = await shows(pod, FULL.message);
    expect(text).toMatch(/Warning +FailedScheduling +\S+ +berth +No node has 8 free GPUs/);
    expect(text).toMatch(/PodScheduled +False/);
    expect(await scheduledOf(pod)).toMatchObject({ status: 'False', ...FULL });
    const events = ['get', 'events', '--namespace', TEAM, '--field-selector', `involvedObject.name=${pod.name}`];
    expect(await plane.kubectl.run(events)).toMatch(/Warning +FailedScheduling +pod\/\S+ +No node has/);
  });

  it('writes nothing when it is told the same again, not even after a restart', async () => {
    const pod = await aPod();
    notes.show([pod], FULL);
    await shows(pod, FULL.message);
    const { resourceVersion } = (await stored(pod)).metadata;
    await until('the watch to see the note', () => seen(pod)?.resourceVersion === resourceVersion);
    const calls: string[] = [];
    const counted = {
      patch: (...call: Parameters<ApiServer['patch']>) => {
        calls.push(call[0]);
        return api.patch(...call);
      },
    };
    await notes.stop();
    notes = start({ api: counted });
    const other = await aPod();
    notes.show([pod, other], FULL);
    await shows(other, FULL.message);
    expect(calls).toHaveLength(2);
    expect(calls[0]).toBe(pathOf(other.name, 'status'));
    expect((await stored(pod)).metadata.resourceVersion).toBe(resourceVersion);
  });

  it('keeps the time since when a pod waits when the reason becomes another', async () => {
    const pod = await aPod();
    notes.show([pod], QUOTA);
    expect(await shows(pod, QUOTA.message)).toMatch(/Normal +Waiting +\S+ +berth/);
    const before = await scheduledOf(pod);
    await until('the watch to see the note', () => seen(pod)?.scheduled);
    await notes.stop();
    // Another server knows nothing of the ten seconds between two notes.
    notes = start({ api });
    notes.show([pod], FULL);
    await shows(pod, FULL.message);
    expect(await scheduledOf(pod)).toEqual({ ...before, ...FULL });
  });

  it('drops what it was to say on a pod that is deleted', async () => {
    const pod = await aPod();
    const late = seen(pod);
    await plane.api.ask({ method: 'DELETE', path: pathOf(pod.name) });
    await notes.stop();
    const refusals: unknown[] = [];
    notes = start({ api: noting(refusals), unboundPod: () => late });
    notes.show([pod], FULL);
    await until('the refusal', () => refusals.length > 0);
    expect(refusals).toMatchObject([{ code: 404 }]);
  });

  it('says where a pod was put, after which its condition is true', async () => {
    const pod = await aPod();
    notes.show([pod], FULL);
    await shows(pod, FULL.message);
    notes.forget(pod.uid);
    await bind(pod);
    notes.scheduled(pod, 'gpu-0-0');
    const assigned = `Successfully assigned ${TEAM}/${pod.name} to gpu-0-0`;
    expect(await shows(pod, assigned)).toMatch(/Normal +Scheduled +\S+ +berth +Successfully assigned/);
    expect(await scheduledOf(pod)).toMatchObject({ status: 'True' });
    expect(await scheduledOf(pod)).not.toHaveProperty('message');
  });

  it('cannot take back that a pod is bound: the server refuses a note on the pod as it was before', async () => {
    const pod = await aPod();
    const before = seen(pod);
    await bind(pod);
    const bound = await stored(pod);
    await notes.stop();
    const refusals: unknown[] = [];
    notes = start({ api: noting(refusals), unboundPod: () => (refusals.length === 0 ? before : seen(pod)) });
    notes.show([pod], FULL);
    await until('the refusal', () => refusals.length > 0);
    await until('the watch to see the binding', () => seen(pod) === undefined);
    await notes.stop();
    expect(refusals).toMatchObject([{ code: 409 }]);
    expect(await stored(pod)).toEqual(bound);
    expect(await scheduledOf(pod)).toMatchObject({ status: 'True' });
    expect(await describePod(pod)).toContain('Events:                      <none>');
  });

  it('lets every binding stand, however notes and bindings meet', async () => {
    const pods = await Promise.all(Array.from({ length: 40 }, () => aPod()));
    notes.show(pods, FULL);
    await Promise.all(
      pods.map(async (pod) => {
        await bind(pod);
        notes.scheduled(pod, 'gpu-0-0');
      }),
    );
    const events = `/api/v1/namespaces/${TEAM}/events?fieldSelector=reason%3DScheduled`;
    const uids = new Set(pods.map(({ uid }) => uid));
    await until('all to be told where they were put', async () => {
      const { items } = await plane.api.ask<EventList>({ method: 'GET', path: events });
      return items.filter(({ involvedObject }) => uids.has(involvedObject.uid)).length === pods.length;
    });
    await notes.stop();
    for (const pod of pods) expect(await scheduledOf(pod)).toMatchObject({ status: 'True' });
  });

  /** The same server; its refusals are written down. */
  function noting(refusals: unknown[]): Pick<ApiServer, 'patch'> {
    return {
      patch: (...call) =>
        api.patch(...call).catch((error: unknown) => {
          if (error instanceof StatusError) refusals.push(error);
          throw error;
        }),
    };
  }
});
