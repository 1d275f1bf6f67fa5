import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ScriptedApiServer } from '../../../test/support/scripted-api-server.js';
import { DriverSettingsSchema } from './driver-settings.js';
import { KubernetesAccessError, openKubernetesCluster, type OpenKubernetes } from './open-kubernetes-cluster.js';

describe(openKubernetesCluster.name, () => {
  let folder: string;
  let server: ScriptedApiServer;
  let url: string;
  let kubeconfig: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'berth-open-'));
    kubeconfig = join(folder, 'config');
    server = await ScriptedApiServer.start();
    ({ url } = server);
  });
  afterEach(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  function open(): Promise<OpenKubernetes> {
    const config = {
      clusters: [{ name: 'north', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'ada', user: { token: 'secret' } }],
      contexts: [{ name: 'work', context: { cluster: 'north', user: 'ada' } }],
      'current-context': 'work',
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const settings = DriverSettingsSchema.parse({});
    return openKubernetesCluster({ source: { kubeconfig }, settings, report: () => undefined });
  }

  async function refuse(code: number, reason: string): Promise<void> {
    for (;;) (await server.next()).refuse(code, reason);
  }

  it('asks for one of all that it must read, and is ready', async () => {
    const opening = open();
    const paths: string[] = [];
    const answerLists = async (count: number): Promise<void> => {
      for (let asked = 0; asked < count; asked += 1) {
        const exchange = await server.next();
        paths.push(exchange.path);
        expect(exchange.query).toEqual({ limit: '1' });
        exchange.list('1', []);
      }
    };
    await answerLists(6);
    const discovery = await server.next();
    paths.push(discovery.path);
    discovery.json(200, { resources: [{ name: 'podgroups' }] });
    await answerLists(1);
    expect(paths).toEqual([
      '/api/v1/nodes',
      '/api/v1/pods',
      '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases',
      '/api/v1/namespaces',
      '/api/v1/persistentvolumeclaims',
      '/api/v1/persistentvolumes',
      '/apis/scheduling.k8s.io/v1beta1',
      '/apis/scheduling.k8s.io/v1beta1/podgroups',
    ]);
    await (await opening).close();
  });

  it.each([
    [401, 'Unauthorized', ' does not accept these credentials: renew them in the kubeconfig'],
    [403, 'Forbidden', ' does not let Berth list nodes: grant the rights of docs/reference/kubernetes.md'],
    [404, 'NotFound', ': 404 because NotFound; see that it is healthy, and start again'],
  ])('says in one line what to do after a refusal with %d', async (code, reason, says) => {
    const opening = open();
    void refuse(code, reason);
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubernetesAccessError);
    const { message } = error as Error;
    expect(message).toContain(`${url} (context work of ${kubeconfig})${says}`);
    expect(message).not.toContain('\n');
  });

  it('says in one line what to do when nobody answers', async () => {
    await server.stop();
    const error = await open().catch((thrown: unknown) => thrown);
    server = await ScriptedApiServer.start();
    expect(error).toBeInstanceOf(KubernetesAccessError);
    const { message } = error as Error;
    expect(message).toContain(`of ${url} (context work of ${kubeconfig}): connect ECONNREFUSED`);
    expect(message).toContain('see that it is up, or choose another by --kubeconfig and --kube-context');
    expect(message).not.toContain('\n');
  });
});
