import { until } from '../../support/observation-log.js';
import type { ApiServer } from './api-server.js';

/** A namespace that pods can be created in: its account `default` is there, without which they are refused. */
export async function createNamespace(
  api: ApiServer,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await api.ask({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name, labels } } });
  await until(`the default service account of ${name}`, async () => {
    const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
    return (await api.call({ method: 'GET', path })).status === 200;
  });
}
