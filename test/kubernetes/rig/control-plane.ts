import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/free-port.js';
import { ApiServer } from './api-server.js';
import { writeKubeconfig } from './kubeconfig.js';
import { Kubectl } from './kubectl.js';
import { Program } from './program.js';
import {
  CONTROLLERS,
  FEATURE_GATES,
  PROGRAMS,
  RUNTIME_CONFIG,
  certificateOf,
  kubeconfigFile,
  planPrograms,
  serviceAccountKey,
  tokenFile,
  type ClientName,
  type Ports,
  type ProgramName,
  type ProgramOptions,
} from './programs.js';
import { endAllRecorded } from './recorded-process.mjs';

/** It only ends what hangs: 5 s are usual, and a busy machine needs a multiple. */
const READY_MS_MAX = 120_000;
const LOOK_MS = 50;
/** Its own, and that of the authority which signed it. */
const CERTIFICATES = 2;
/** `test/support/test-run.mjs` looks for such folders after a run that was killed. */
const CONTROL_PLANE_PREFIX = 'control-plane-';
const DEFAULT_OPTIONS: ProgramOptions & { readonly clients: readonly ClientName[] } = {
  clients: ['kube-controller-manager', 'kwok'],
  controllers: CONTROLLERS,
  featureGates: FEATURE_GATES,
  runtimeConfig: RUNTIME_CONFIG,
  nodeLeaseSeconds: 40,
  flags: {},
};

export interface ControlPlaneOptions extends Partial<ProgramOptions> {
  /** What runs beside the store and the API: the control loops and the fake kubelet, unless said otherwise. */
  readonly clients?: readonly ClientName[];
  /** A folder of its own, for a control plane that outlives this process; a temporary one by default. */
  readonly folder?: string;
  /** Gives the start up, which then leaves nothing running either. */
  readonly abort?: AbortSignal;
}

/**
 * A real Kubernetes control plane on loopback, with nodes that KWOK plays. Each program can be frozen, killed and started
 * again. It ends with `stop`; a test run that was killed leaves it to the next one.
 */
export class ControlPlane {
  /** The administrator's, who is bound by no rules; `serviceAccountKubeconfig` makes one for somebody who is. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  private readonly token = randomBytes(16).toString('hex');
  private readonly programs: Readonly<Record<ProgramName, Program>>;
  private client: ApiServer | undefined;

  private constructor(
    readonly folder: string,
    private readonly ports: Ports,
    options: ProgramOptions,
  ) {
    this.kubeconfig = kubeconfigFile(folder);
    this.kubectl = new Kubectl(this.kubeconfig);
    const plans = planPrograms({ folder, ports, options, api: () => this.apiIfCertified() });
    const programOf = (name: ProgramName) => [name, new Program(folder, plans[name])] as const;
    this.programs = Object.fromEntries(PROGRAMS.map(programOf)) as typeof this.programs;
  }

  /** Ready when it returns. When it fails, nothing is left running, and the error says who ended, and why. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const { abort, folder = temporaryFolder(), ...wishes } = options;
    const { clients, ...programOptions } = { ...DEFAULT_OPTIONS, ...wishes };
    const plane = new ControlPlane(folder, await freePorts(), programOptions);
    try {
      await plane.startAll(clients, abort);
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  get api(): ApiServer {
    const api = this.apiIfCertified();
    if (api === undefined) throw new Error('the control plane has not been started');
    return api;
  }

  signal(name: ProgramName, signal: NodeJS.Signals): void {
    this.programs[name].signal(signal);
  }

  /** Of a program that runs. */
  pidOf(name: ProgramName): number {
    return this.programs[name].pid;
  }

  /** As the kernel does it when memory is short. */
  async kill(name: ProgramName): Promise<void> {
    await this.programs[name].end();
  }

  /** The same program again, on what it left behind; ready when it returns. */
  async restart(name: ProgramName): Promise<void> {
    await this.programs[name].end();
    await this.startAndAwait([this.programs[name]]);
  }

  /** The store forgets all that is not present: whoever wants to know what was before hears that this is too old. */
  async compact(): Promise<void> {
    const etcd = `http://127.0.0.1:${this.ports.etcd}/v3/kv`;
    const ask = async (verb: string, body: object): Promise<unknown> => {
      const answer = await fetch(`${etcd}/${verb}`, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`etcd ${verb}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    // Any key will do: each answer says how far the store is.
    const { header } = (await ask('range', { key: Buffer.from('a').toString('base64') })) as EtcdAnswer;
    await ask('compaction', { revision: header.revision, physical: true });
  }

  /** Nothing is left, neither a process nor a file. */
  async stop(): Promise<void> {
    this.client?.close();
    await endAllRecorded(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startAll(clients: readonly ClientName[], abort?: AbortSignal): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ format: 'pem', type: 'sec1' });
    writeFileSync(serviceAccountKey(this.folder), key, { mode: 0o600 });
    writeFileSync(tokenFile(this.folder), `${this.token},admin,admin,system:masters\n`, { mode: 0o600 });
    // The API server waits for its store by itself.
    await this.startAndAwait([this.programs.etcd, this.programs['kube-apiserver']], abort);
    const { url: server, certificates } = this.api;
    writeKubeconfig(this.kubeconfig, { server, certificates, token: this.token });
    const chosen = clients.map((name) => this.programs[name]);
    await this.startAndAwait(chosen, abort);
  }

  private async startAndAwait(programs: readonly Program[], abort?: AbortSignal): Promise<void> {
    const giveUpAt = performance.now() + READY_MS_MAX;
    for (const program of programs) await program.start();
    for (const { plan } of programs) {
      while (!(await plan.isReady().catch(() => false))) {
        abort?.throwIfAborted();
        const dead = Object.values(this.programs).find(({ hasDied }) => hasDied);
        if (dead !== undefined) throw new Error(`${dead.plan.name} ended: ${dead.lastWords()}`);
        if (performance.now() > giveUpAt) throw new Error(`${plan.name} is not ready after ${READY_MS_MAX / 1000} s`);
        await delay(LOOK_MS);
      }
    }
  }

  private apiIfCertified(): ApiServer | undefined {
    const file = certificateOf(this.folder);
    if (this.client !== undefined || !existsSync(file)) return this.client;
    const certificates = readFileSync(file, 'utf8');
    // It may still be writing.
    if (certificates.split('END CERTIFICATE').length <= CERTIFICATES) return undefined;
    const url = `https://127.0.0.1:${this.ports['kube-apiserver']}`;
    this.client = new ApiServer(url, certificates, this.token);
    return this.client;
  }
}

interface EtcdAnswer {
  readonly header: { readonly revision: string };
}

function temporaryFolder(): string {
  const { BERTH_TEST_RUN: run = tmpdir() } = process.env;
  return mkdtempSync(join(run, CONTROL_PLANE_PREFIX));
}

async function freePorts(): Promise<Ports> {
  const ports = new Map<string, number>();
  for (const name of ['etcd-peers', ...PROGRAMS] as const) {
    let port = await freePort();
    while ([...ports.values()].includes(port)) port = await freePort();
    ports.set(name, port);
  }
  return Object.fromEntries(ports) as Ports;
}
