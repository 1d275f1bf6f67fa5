import { writeFileSync } from 'node:fs';

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
