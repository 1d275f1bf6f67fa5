import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ApiClient } from '../../../src/cli/api-client.js';
import { configurationFile, readClientConfiguration } from '../../../src/cli/client-configuration.js';
import { CHECKOUT } from '../../support/scratch-checkout.js';
import { binariesFolder } from './binaries.mjs';
import type { ControlPlane } from './control-plane.js';
import { createNamespace } from './namespaces.js';
import { recordProcess } from './recorded-process.mjs';

const MAIN = join(CHECKOUT, 'dist', 'cli', 'main.js');
const QUOTAS = join(CHECKOUT, 'docs', 'examples', 'quotas', 'rig.yaml');
/** Those of the quota file: pods live in the namespace of their team. */
const TEAMS = ['research', 'product'];

/**
 * Berth on this control plane, with a ledger of its own, until it ends by itself or is told to. Resolves with its exit
 * code when it is gone.
 */
export async function playBerth(plane: ControlPlane, abort: AbortSignal): Promise<number> {
  await Promise.all(TEAMS.map((team) => createNamespace(plane.api, team, { 'berth.dev/queue': team })));
  abort.throwIfAborted();
  const logFile = join(plane.folder, 'berth.log');
  const log = createWriteStream(logFile, { mode: 0o600 });
  const driver = ['--driver', 'kubernetes', '--kubeconfig', plane.kubeconfig];
  const args = ['--enable-source-maps', MAIN, 'server', '--ephemeral', '--quotas', QUOTAS, ...driver];
  // Below the folder and written down there, so that `rig:down` ends and removes what a SIGKILL to us leaves.
  const env = { ...process.env, TMPDIR: plane.folder };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.pid !== undefined) recordProcess(join(plane.folder, 'berth.pid'), child.pid);
  abort.addEventListener('abort', () => child.kill('SIGTERM'));
  let introduced: Promise<unknown> | undefined;
  createInterface(child.stdout).on('line', (line) => {
    log.write(`${line}\n`);
    const url = introduced === undefined ? listeningUrl(line) : undefined;
    if (url === undefined) return;
    introduced = introduce(plane, url, logFile);
    introduced.catch(() => child.kill('SIGTERM'));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  log.end();
  if (!abort.aborted) await introduced;
  return code ?? 1;
}

/** The server has saved its address and token for the command line by then. */
async function introduce(plane: ControlPlane, url: string, logFile: string): Promise<void> {
  const file = configurationFile(process.env);
  const { contexts } = await readClientConfiguration(file);
  // Entries of other ledgers may have this address, too; the newest is the last.
  const token = contexts.findLast(({ server }) => server === url)?.token;
  const { code } = await new ApiClient({ server: url, token }).createSessionCode();
  process.stdout.write(`
KUBECONFIG=${plane.kubeconfig}
Page     ${url}/#code=${code}   (opens once; \`npx berth dashboard\` prints another)
API      ${url}/docs
Token    ${token ?? ''}   saved in ${file}
Log      ${logFile}

Try next, in another terminal:
  export KUBECONFIG=${plane.kubeconfig}
  alias kubectl=${join(binariesFolder(), 'kubectl')}
  kubectl get nodes -L topology.berth.dev/rack
  npm run berth -- apply -f docs/examples/kubernetes/gang.yaml    # four pods with eight GPUs each, in one rack
  kubectl apply -f docs/examples/kubernetes/deployment.yaml       # pods that Kubernetes makes and Berth schedules
  kubectl get pods -A -o wide
  npm run berth -- get workloads
  kubectl label node NODE rig.berth.dev/kubelet-                  # falls silent: its gang runs elsewhere after a minute
  kubectl annotate pods -n research --all rig.berth.dev/runs-for=1s   # the pods end, the gang has succeeded

Everything stays up until Ctrl-C.
`);
}

function listeningUrl(line: string): string | undefined {
  const entry = JSON.parse(line) as { readonly msg?: string; readonly url?: string };
  return entry.msg === 'listening' ? entry.url : undefined;
}
