import { join } from 'node:path';
import type { ApiServer } from './api-server.js';
import type { ProgramPlan } from './program.js';

export const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const;
export type ProgramName = (typeof PROGRAMS)[number];
/** What may run beside the store and the API. */
export type ClientName = Exclude<ProgramName, 'etcd' | 'kube-apiserver'>;

export interface ProgramOptions {
  readonly controllers: readonly string[];
  readonly featureGates: Readonly<Record<string, boolean>>;
  readonly runtimeConfig: Readonly<Record<string, boolean>>;
  /** How long a node may be silent before it counts as lost; it renews its lease four times as often. */
  readonly nodeLeaseSeconds: number;
  /** Added after ours, so that they win. */
  readonly flags: Readonly<Partial<Record<ProgramName, readonly string[]>>>;
}

export type Ports = Readonly<Record<'etcd-peers' | ProgramName, number>>;

/** What control loops a cluster needs for pods, their owners, their nodes and their volumes to live and end. */
export const CONTROLLERS: readonly string[] = [
  'serviceaccount-controller',
  'root-ca-certificate-publisher-controller',
  'namespace-controller',
  'garbage-collector-controller',
  'job-controller',
  'replicaset-controller',
  'deployment-controller',
  'statefulset-controller',
  'pod-garbage-collector-controller',
  'disruption-controller',
  'resourceclaim-controller',
  'podgroup-protection-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
  'persistentvolume-binder-controller',
];

/** PodGroups are off by default in this version of Kubernetes; a suite for a cluster without them says so. */
export const FEATURE_GATES: Readonly<Record<string, boolean>> = {
  CompositePodGroup: true,
  DRAWorkloadResourceClaims: true,
  GenericWorkload: true,
  PodGroupPreemptionPolicy: true,
  TopologyAwareWorkloadScheduling: true,
  WorkloadWithJob: true,
};
export const RUNTIME_CONFIG: Readonly<Record<string, boolean>> = {
  'scheduling.k8s.io/v1alpha3': true,
  'scheduling.k8s.io/v1beta1': true,
};

/** KWOK plays the kubelet of nodes with this label, and of no others. */
export const FAKE_KUBELET = { key: 'rig.berth.dev/kubelet', value: 'fake' } as const;

/** A bound for the largest program, not a goal: with it the whole rig needs about half a GiB. */
const API_SERVER_MEMORY = '350MiB';
const QUESTION_MS_MAX = 2000;
/** Tests wait for control loops, not for their politeness. */
const UNHURRIED = ['--kube-api-qps', '500', '--kube-api-burst', '1000'];

export interface Planning {
  readonly folder: string;
  readonly ports: Ports;
  readonly options: ProgramOptions;
  /** Undefined until the API server has made its certificate. */
  readonly api: () => ApiServer | undefined;
}

export function planPrograms(planning: Planning): Readonly<Record<ProgramName, ProgramPlan>> {
  return {
    etcd: etcd(planning),
    'kube-apiserver': apiServer(planning),
    'kube-controller-manager': controllerManager(planning),
    'kube-scheduler': scheduler(planning),
    kwok: kwok(planning),
  };
}

function etcd({ folder, ports, options }: Planning): ProgramPlan {
  const clients = `http://127.0.0.1:${ports.etcd}`;
  const peers = `http://127.0.0.1:${ports['etcd-peers']}`;
  return {
    name: 'etcd',
    args: [
      ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
      ...['--listen-client-urls', clients, '--advertise-client-urls', clients],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
      ...['--initial-cluster', `default=${peers}`],
      ...(options.flags.etcd ?? []),
    ],
    isReady: () => isHealthy(`${clients}/health`),
  };
}

function apiServer({ folder, ports, options, api }: Planning): ProgramPlan {
  return {
    name: 'kube-apiserver',
    args: [
      ...['--etcd-servers', `http://127.0.0.1:${ports.etcd}`],
      ...['--bind-address', '127.0.0.1', '--secure-port', String(ports['kube-apiserver'])],
      // Without a certificate it makes one of its own, good for loopback.
      ...['--cert-dir', certificateFolder(folder)],
      // Nobody reaches it by its service, so that no endpoints need to be kept.
      ...['--advertise-address', '10.255.255.1', '--endpoint-reconciler-type', 'none'],
      ...['--service-cluster-ip-range', '10.96.0.0/16'],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', serviceAccountKey(folder)],
      ...['--service-account-signing-key-file', serviceAccountKey(folder)],
      ...['--token-auth-file', tokenFile(folder), '--authorization-mode', 'Node,RBAC'],
      ...['--runtime-config', settings(options.runtimeConfig)],
      ...['--feature-gates', settings(options.featureGates)],
      ...(options.flags['kube-apiserver'] ?? []),
    ],
    env: { GOMEMLIMIT: API_SERVER_MEMORY },
    isReady: () => isAnswered(api(), '/readyz'),
  };
}

function controllerManager({ folder, ports, options, api }: Planning): ProgramPlan {
  return {
    name: 'kube-controller-manager',
    args: [
      ...client(folder, ports['kube-controller-manager'], options),
      ...['--service-account-private-key-file', serviceAccountKey(folder)],
      ...['--root-ca-file', certificateOf(folder)],
      ...['--controllers', options.controllers.join(',')],
      ...(options.flags['kube-controller-manager'] ?? []),
    ],
    isReady: () => isAnswered(api(), `https://127.0.0.1:${ports['kube-controller-manager']}/healthz`),
  };
}

function scheduler({ folder, ports, options, api }: Planning): ProgramPlan {
  return {
    name: 'kube-scheduler',
    args: [...client(folder, ports['kube-scheduler'], options), ...(options.flags['kube-scheduler'] ?? [])],
    isReady: () => isAnswered(api(), `https://127.0.0.1:${ports['kube-scheduler']}/healthz`),
  };
}

/** What the programs of Kubernetes that only use the API have in common. */
function client(folder: string, port: number, { featureGates }: ProgramOptions): readonly string[] {
  return [
    ...['--kubeconfig', kubeconfigFile(folder), '--leader-elect=false', ...UNHURRIED],
    ...['--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...['--tls-cert-file', certificateOf(folder)],
    ...['--tls-private-key-file', join(certificateFolder(folder), 'apiserver.key')],
    ...['--feature-gates', settings(featureGates)],
  ];
}

function kwok({ folder, ports, options }: Planning): ProgramPlan {
  return {
    name: 'kwok',
    args: [
      ...['--kubeconfig', kubeconfigFile(folder), '--config', join(import.meta.dirname, 'stages.yaml')],
      // A selector of labels is the server's to watch, so that a node that loses the label falls silent.
      ...['--manage-nodes-with-label-selector', `${FAKE_KUBELET.key}=${FAKE_KUBELET.value}`],
      ...['--node-lease-duration-seconds', String(options.nodeLeaseSeconds)],
      ...['--cidr', '10.64.0.0/10', '--node-ip', '10.255.0.1'],
      ...['--server-address', `127.0.0.1:${ports.kwok}`],
      ...(options.flags.kwok ?? []),
    ],
    isReady: () => isHealthy(`http://127.0.0.1:${ports.kwok}/healthz`),
  };
}

async function isHealthy(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(QUESTION_MS_MAX) })).ok;
}

/** All that speak TLS show the certificate of the API server. */
async function isAnswered(api: ApiServer | undefined, path: string): Promise<boolean> {
  const answer = await api?.call({ method: 'GET', path, timeoutMs: QUESTION_MS_MAX });
  return answer?.status === 200;
}

function settings(values: Readonly<Record<string, boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(',');
}

function certificateFolder(folder: string): string {
  return join(folder, 'certificates');
}

/** The API server's own, followed by the authority that signed it. */
export function certificateOf(folder: string): string {
  return join(certificateFolder(folder), 'apiserver.crt');
}

export function serviceAccountKey(folder: string): string {
  return join(folder, 'service-account.key');
}

export function tokenFile(folder: string): string {
  return join(folder, 'tokens.csv');
}

export function kubeconfigFile(folder: string): string {
  return join(folder, 'kubeconfig');
}
