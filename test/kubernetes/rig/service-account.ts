import { join } from 'node:path';
import { until } from '../../support/observation-log.js';
import type { ApiServer } from './api-server.js';
import type { ControlPlane } from './control-plane.js';
import { writeKubeconfig } from './kubeconfig.js';

const NAMESPACE = 'default';
const TOKEN_SECONDS = 3600;

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/**
 * A user with these rights in all namespaces and no others, bound by API Priority & Fairness as any program is; the
 * administrator of the rig is bound by nothing.
 * @returns the path of its kubeconfig, which lasts as long as the rig
 */
export async function serviceAccountKubeconfig(
  { api, folder }: ControlPlane,
  name: string,
  rules: readonly PolicyRule[],
): Promise<string> {
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`;
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name };
  await api.ask({ method: 'POST', path: accounts, body: { metadata } });
  await api.ask({ method: 'POST', path: `${rbac}/clusterroles`, body: { metadata, rules } });
  const binding = {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
  };
  await api.ask({ method: 'POST', path: `${rbac}/clusterrolebindings`, body: binding });
  const { status } = await api.ask<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `${accounts}/${name}/token`,
    body: { spec: { expirationSeconds: TOKEN_SECONDS } },
  });
  await untilGranted(api, name, rules);
  const file = join(folder, `${name}.kubeconfig`);
  writeKubeconfig(file, { server: api.url, certificates: api.certificates, token: status.token });
  return file;
}

/** The server reads its own rules with a delay. */
async function untilGranted(api: ApiServer, name: string, rules: readonly PolicyRule[]): Promise<void> {
  const [group, resource, verb] = [rules[0]?.apiGroups[0], rules[0]?.resources[0], rules[0]?.verbs[0]];
  if (verb === undefined) return;
  const review = {
    spec: { user: `system:serviceaccount:${NAMESPACE}:${name}`, resourceAttributes: { group, resource, verb } },
  };
  await until(`${name} to ${verb} ${String(resource)}`, async () => {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const answer = await api.ask<{ readonly status: { readonly allowed: boolean } }>({
      method: 'POST',
      path,
      body: review,
    });
    return answer.status.allowed;
  });
}
