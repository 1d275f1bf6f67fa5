// `npm run rig:up` and `rig:down`: a control plane to try things on by hand, which stays until it is taken down; and
// `npm run dev:kubernetes`: the same with Berth on it, until Ctrl-C.
import { existsSync, rmSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binariesFolder, isRigBuilt } from './binaries.mjs';
import { ControlPlane } from './control-plane.js';
import { createNodes, fakeNodes } from './fake-nodes.js';
import { playBerth } from './play-berth.js';
import { endAllRecorded } from './recorded-process.mjs';

/** Something the user can put right, told in one line. */
class RigError extends Error {}

const USAGE =
  'Usage: npm run rig:up -- [--racks N] [--nodes-per-rack N] [--scheduler] | npm run rig:down | ' +
  'npm run dev:kubernetes -- [--racks N] [--nodes-per-rack N] [--scheduler]';
const NODES_MAX = 5000;

async function up(args: readonly string[], abort: AbortSignal): Promise<void> {
  const options = readOptions(args, { racks: 2, nodesPerRack: 4 });
  const plane = await startPlane(options, abort);
  plane.api.close();
  const kubectl = join(binariesFolder(), 'kubectl');
  process.stdout.write(`KUBECONFIG=${plane.kubeconfig}

A Kubernetes control plane with ${options.racks * options.nodesPerRack} fake nodes. Try next:
  export KUBECONFIG=${plane.kubeconfig}
  alias kubectl=${kubectl}
  kubectl get nodes -L topology.berth.dev/rack,nvidia.com/gpu.product
  npm run rig:down
`);
}

/** After a SIGKILL, `rig:down` ends what is left. */
async function develop(args: readonly string[], abort: AbortSignal): Promise<void> {
  const plane = await startPlane(readOptions(args, { racks: 10, nodesPerRack: 10 }), abort);
  try {
    process.stderr.write('berth: starting PostgreSQL and the server\n');
    const code = await playBerth(plane, abort);
    process.exitCode ??= code;
  } finally {
    await plane.stop();
  }
  if (abort.aborted) process.stdout.write('Everything has ended.\n');
}

/** With its nodes; when it fails, nothing is left. */
async function startPlane({ racks, nodesPerRack, hasScheduler }: UpOptions, abort: AbortSignal): Promise<ControlPlane> {
  if (!isRigBuilt())
    throw new RigError(
      'The rig is not built yet: run `npm run rig:build`, then try again. It builds Kubernetes from its sources, once, ' +
        'for which it needs Go 1.26 or newer and about ten minutes.',
    );
  const folder = stateFolder();
  if (existsSync(folder)) throw new RigError(`The rig is up already, or was not taken down: run \`npm run rig:down\`.`);
  process.stderr.write('berth: starting etcd, the API server, the control loops and the fake kubelet\n');
  const clients = ['kube-controller-manager', 'kwok', ...(hasScheduler ? (['kube-scheduler'] as const) : [])] as const;
  const plane = await ControlPlane.start({ folder, clients, abort }).catch((error: unknown) => {
    throw new RigError(error instanceof Error ? error.message : String(error), { cause: error });
  });
  try {
    await createNodes(plane.api, fakeNodes({ racks, nodesPerRack }));
    abort.throwIfAborted();
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

async function down(): Promise<void> {
  const folder = stateFolder();
  const isUp = existsSync(folder);
  await endAllRecorded(folder);
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(isUp ? 'The rig is down.\n' : 'The rig is not up.\n');
}

interface UpOptions {
  readonly racks: number;
  readonly nodesPerRack: number;
  readonly hasScheduler: boolean;
}

function readOptions(args: readonly string[], size: Omit<UpOptions, 'hasScheduler'>): UpOptions {
  const options = {
    racks: { type: 'string', default: String(size.racks) },
    'nodes-per-rack': { type: 'string', default: String(size.nodesPerRack) },
    scheduler: { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const [racks, nodesPerRack] = [Number(values.racks), Number(values['nodes-per-rack'])];
    const nodes = racks * nodesPerRack;
    if (!Number.isInteger(racks) || !Number.isInteger(nodesPerRack) || nodes < 0 || nodes > NODES_MAX)
      throw new Error(`at most ${NODES_MAX} nodes, in whole racks`);
    return { racks, nodesPerRack, hasScheduler: values.scheduler };
  } catch (error) {
    throw new RigError(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** One rig a user, so that `rig:down` needs no name. */
function stateFolder(): string {
  const { XDG_STATE_HOME: state } = process.env;
  const base = state === undefined || state === '' ? join(homedir(), '.local', 'state') : state;
  return join(base, 'berth', 'rig');
}

/** Aborted by a signal to us: half a rig is of no use. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      controller.abort(new RigError('interrupted, and nothing is left running'));
    });
  return controller.signal;
}

try {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'up') await up(args, abortOnSignal());
  else if (command === 'down') await down();
  else if (command === 'develop') await develop(args, abortOnSignal());
  else throw new RigError(USAGE);
} catch (error) {
  if (!(error instanceof RigError)) throw error;
  process.stderr.write(`berth: ${error.message}\n`);
  process.exitCode ??= 1;
}
