import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Access {
  readonly server: string;
  readonly certificates: string;
  readonly token: string;
}

/** As JSON, which is YAML too. It holds a token, so only its owner may read it. */
export function writeKubeconfig(file: string, { server, certificates, token }: Access): void {
  const authority = Buffer.from(certificates).toString('base64');
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'rig', cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: 'rig', user: { token } }],
    contexts: [{ name: 'rig', context: { cluster: 'rig', user: 'rig' } }],
    'current-context': 'rig',
  };
  writeFileSync(file, `${JSON.stringify(kubeconfig, undefined, 2)}\n`, { mode: 0o600 });
}

/**
 * The same access, by way of somebody else on loopback, who may do without TLS.
 * @returns the path of the new file, beside the given one
 */
export function kubeconfigThrough(file: string, server: string): string {
  const kubeconfig = JSON.parse(readFileSync(file, 'utf8')) as { clusters: { cluster: object }[] };
  const plainly = { server, 'insecure-skip-tls-verify': true };
  const clusters = kubeconfig.clusters.map(({ cluster, ...rest }) => ({
    ...rest,
    cluster: server.startsWith('http:') ? plainly : { ...cluster, server },
  }));
  const through = join(dirname(file), `through-${new URL(server).port}.kubeconfig`);
  writeFileSync(through, JSON.stringify({ ...kubeconfig, clusters }), { mode: 0o600 });
  return through;
}
