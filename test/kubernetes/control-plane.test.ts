import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '../support/observation-log.js';
import { processesBelow } from '../support/running-processes.js';
import { MODULES, versionOf } from './rig/binaries.mjs';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';
import { GPU_RESOURCE, RACK_LABEL, createNodes, fakeNodes, reviveNode, silenceNode } from './rig/fake-nodes.js';
import { Kubectl } from './rig/kubectl.js';
import { createNamespace } from './rig/namespaces.js';
import { serviceAccountKubeconfig } from './rig/service-account.js';

const NAMESPACE = 'work';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
/** Long enough for a busy machine to heartbeat in, short enough to wait for. */
const GRACE_SECONDS = 12;

interface Pod {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly state: { readonly terminated?: { readonly exitCode: number } } }[];
  };
}

interface PodWishes {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

describeWithRig('the control plane of the rig', () => {
  let plane: ControlPlane;

  beforeAll(async () => {
    plane = await ControlPlane.start({
      nodeLeaseSeconds: GRACE_SECONDS,
      flags: {
        'kube-controller-manager': [`--node-monitor-grace-period=${GRACE_SECONDS}s`, '--node-monitor-period=1s'],
      },
    });
    await createNodes(plane.api, fakeNodes({ racks: 2, nodesPerRack: 1 }));
    await createNamespace(plane.api, NAMESPACE);
  });
  afterAll(async () => {
    await plane.stop();
  });

  /** A pod as Berth gets it: nobody else looks at it. */
  async function createBoundPod(name: string, { annotations = {}, finalizers = [] }: PodWishes = {}): Promise<void> {
    const spec = { schedulerName: 'berth', restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] };
    const body = { metadata: { name, annotations, finalizers }, spec };
    await plane.api.ask({ method: 'POST', path: PODS, body });
    const binding = { metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: 'gpu-0-0' } };
    await plane.api.ask({ method: 'POST', path: `${PODS}/${name}/binding`, body: binding });
  }

  const podOf = (name: string): Promise<Pod> => plane.api.ask<Pod>({ method: 'GET', path: `${PODS}/${name}` });
  const untilPhase = (name: string, ...phases: readonly string[]): Promise<Pod> =>
    until(`pod ${name} to be ${phases.join(' or ')}`, async () => {
      const pod = await podOf(name);
      return phases.includes(pod.status.phase) && pod;
    });
  const conditionOf = ({ status }: Pick<Pod, 'status'>, type: string): string | undefined =>
    status.conditions?.find((condition) => condition.type === type)?.status;
  const exitCodesOf = ({ status }: Pod): readonly (number | undefined)[] | undefined =>
    status.containerStatuses?.map(({ state }) => state.terminated?.exitCode);

  it('comes up and answers, in the version that is pinned', async () => {
    const { serverVersion } = await plane.kubectl.json<{ serverVersion: { gitVersion: string } }>(['version']);
    const kubernetes = MODULES.find(({ name }) => name === 'kubernetes');
    expect(serverVersion.gitVersion).toBe(kubernetes && versionOf(kubernetes));
  });

  it('has nodes with GPUs, each in a rack', async () => {
    const { items } = await plane.kubectl.json<{
      items: { metadata: { labels: Record<string, string> }; status: { allocatable: Record<string, string> } }[];
    }>(['get', 'nodes', '--sort-by=metadata.name']);
    expect(items.map(({ metadata }) => metadata.labels[RACK_LABEL])).toEqual(['gpu-0', 'gpu-1']);
    expect(items.map(({ status }) => status.allocatable[GPU_RESOURCE])).toEqual(['8', '8']);
  });

  it('runs a pod that is bound to a fake node, until it is deleted', async () => {
    await createBoundPod('runner');
    const running = await untilPhase('runner', 'Running');
    expect(conditionOf(running, 'Ready')).toBe('True');
    expect(running.status.podIP).toMatch(/^10\.\d+\.\d+\.\d+$/);
    await plane.kubectl.run(['delete', 'pod', 'runner', '-n', NAMESPACE, '--wait=true', '--timeout=60s']);
  });

  it.each([
    [75, 'Failed'],
    [0, 'Succeeded'],
  ])('ends a pod with exit code %d', async (code, phase) => {
    const name = `ends-with-${code}`;
    const annotations = { 'rig.berth.dev/runs-for': '200ms', 'rig.berth.dev/exit-code': String(code) };
    await createBoundPod(name, { annotations });
    const ended = await untilPhase(name, 'Succeeded', 'Failed');
    expect(ended.status.phase).toBe(phase);
    expect(exitCodesOf(ended)).toEqual([code]);
    expect(conditionOf(ended, 'Ready')).toBe('False');
  });

  it('completes the pods of Jobs', async () => {
    const template = {
      spec: { nodeName: 'gpu-1-0', restartPolicy: 'Never', containers: [{ name: 'main', image: 'none' }] },
    };
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`;
    await plane.api.ask({ method: 'POST', path, body: { metadata: { name: 'job' }, spec: { template } } });
    await plane.kubectl.run(['wait', 'job/job', '-n', NAMESPACE, '--for=condition=Complete', '--timeout=60s']);
  });

  it('stops a pod that is deleted, in the time it takes, and leaves it to its finalizers', async () => {
    const annotations = { 'rig.berth.dev/stops-in': '1s', 'rig.berth.dev/stop-exit-code': '75' };
    await createBoundPod('leaving', { annotations, finalizers: ['rig.berth.dev/held'] });
    await untilPhase('leaving', 'Running');
    await plane.api.ask({ method: 'DELETE', path: `${PODS}/leaving` });
    const stopping = await podOf('leaving');
    expect(stopping.metadata.deletionTimestamp).toBeDefined();
    expect(stopping.status.phase).toBe('Running');
    expect(exitCodesOf(await untilPhase('leaving', 'Failed'))).toEqual([75]);

    const body = { metadata: { finalizers: [] } };
    await plane.api.ask({ method: 'PATCH', path: `${PODS}/leaving`, body });
    await until('the pod to be gone', async () => {
      return (await plane.api.call({ method: 'GET', path: `${PODS}/leaving` })).status === 404;
    });
  });

  it('serves PodGroups', async () => {
    const path = `/apis/scheduling.k8s.io/v1beta1/namespaces/${NAMESPACE}/podgroups`;
    const spec = { schedulingPolicy: { gang: { minCount: 2 } } };
    const stored = await plane.api.ask({ method: 'POST', path, body: { metadata: { name: 'gang' }, spec } });
    expect(stored).toMatchObject({ spec });
  });

  it('gives a user what its rules say, and no more', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
    const user = new Kubectl(await serviceAccountKubeconfig(plane, 'reader', rules));
    await expect(user.run(['get', 'pods', '-n', NAMESPACE])).resolves.toContain('ends-with-75');
    await expect(user.run(['get', 'nodes'])).rejects.toThrow('Forbidden');
  });

  it('keeps what it stored when the API server is killed and started again', async () => {
    await createBoundPod('survivor');
    const { metadata } = await untilPhase('survivor', 'Running');
    await plane.kill('kube-apiserver');
    await expect(podOf('survivor')).rejects.toThrow(/ECONN|socket hang up/);
    await plane.restart('kube-apiserver');
    expect((await podOf('survivor')).metadata.uid).toBe(metadata.uid);
  });

  it('lets writes hang while its store is frozen, and answers when it goes on', async () => {
    const write = (name: string, timeoutMs: number): Promise<unknown> => {
      const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
      return plane.api.ask({ method: 'POST', path, body: { metadata: { name } }, timeoutMs });
    };
    plane.signal('etcd', 'SIGSTOP');
    try {
      await expect(write('frozen', 2000)).rejects.toThrow('aborted');
    } finally {
      plane.signal('etcd', 'SIGCONT');
    }
    await expect(write('thawed', 30_000)).resolves.toBeDefined();
  });

  it('loses a node whose kubelet falls silent, with its pods as they were, and gets it back', async () => {
    await createBoundPod('cut-off');
    await untilPhase('cut-off', 'Running');
    const untilReady = (status: string): Promise<unknown> =>
      until(`node gpu-0-0 to be ready: ${status}`, async () => {
        const node = await plane.api.ask<Pod>({ method: 'GET', path: '/api/v1/nodes/gpu-0-0' });
        return conditionOf(node, 'Ready') === status;
      });
    await silenceNode(plane.api, 'gpu-0-0');
    await untilReady('Unknown');
    await plane.api.ask({ method: 'DELETE', path: `${PODS}/cut-off` });
    expect((await podOf('cut-off')).status.phase).toBe('Running');

    await reviveNode(plane.api, 'gpu-0-0');
    await untilReady('True');
    await until('the pod to be gone', async () => {
      return (await plane.api.call({ method: 'GET', path: `${PODS}/cut-off` })).status === 404;
    });
  });

  it('leaves nothing behind when it is stopped, even frozen', async () => {
    plane.signal('kube-apiserver', 'SIGSTOP');
    await plane.stop();
    expect(processesBelow(plane.folder)).toEqual([]);
    expect(existsSync(plane.folder)).toBe(false);
  });

  it('leaves nothing running when it cannot start, and says who ended and why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-no-plane-'));
    const flags = { etcd: ['--no-such-flag'] };
    await expect(ControlPlane.start({ folder, flags })).rejects.toThrow(/^etcd ended: .*no-such-flag/);
    expect(processesBelow(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });
});
