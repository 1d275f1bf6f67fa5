import type { PodCreation, PodOrder } from '../../cluster.js';
import { deviceRequestOf } from './device-request.js';
import { MAIN_CONTAINER } from './pod-life.js';
import { ANNOTATION, LABEL, MANAGER, SCHEDULER_NAME, slotList } from './pod-labels.js';
import type { MappedNode } from '../nodes/node-spec-of.js';
import type { PodSettings } from './pod-settings.js';

type Refusal = Extract<PodCreation, { readonly kind: 'refused' }>;

/** The objects of one pod: the pod, without a node, and what hangs on it, which is written when its uid is known. */
export interface PodManifests {
  readonly kind: 'manifests';
  readonly pod: object & { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
  /** Its token, and the job of a trainer. */
  readonly secret: (uid: string) => object;
  /** By which a gang finds rank 0; absent: another pod brings it, or none needs it. */
  readonly service?: (uid: string) => object;
}

const SECRET_FOLDER = '/var/run/berth';
const WORKLOAD_FOLDER = '/var/lib/berth/workload';
const MASTER_PORT = 29_500;
const FILE_MODE = 0o440;

/** Pure: the same order makes the same manifests, so that it may be carried out again after a crash. */
export function podManifests(order: PodOrder, node: MappedNode, settings: PodSettings): PodManifests | Refusal {
  const devices = deviceRequestOf(order.slots, node.devices);
  if (devices.kind === 'misfit') return refuse(`node ${order.node} cannot run it: ${devices.why}`, 'elsewhere');
  const image = imageOf(order, settings);
  if (typeof image !== 'string') return image;
  const labels = labelsOf(order);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: order.name, namespace: order.team, labels, annotations: annotationsOf(order) },
    spec: {
      schedulerName: SCHEDULER_NAME,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: order.graceSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostname: hostnameOf(order.rank),
      ...(order.worldSize > 1 && { subdomain: serviceNameOf(order) }),
      tolerations: tolerationsOf(node),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: settings.runAs,
        runAsGroup: settings.runAs,
        fsGroup: settings.runAs,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [containerOf(order, image, devices.resources)],
      volumes: [
        { name: 'berth', secret: { secretName: order.name, defaultMode: FILE_MODE } },
        {
          name: 'workload',
          ...(settings.workloadClaim === undefined
            ? { emptyDir: {} }
            : { persistentVolumeClaim: { claimName: settings.workloadClaim } }),
        },
      ],
    },
  };
  const bringsService = order.worldSize > 1 && order.rank === 0;
  return {
    kind: 'manifests',
    pod,
    secret: (uid) => secretOf(order, uid),
    ...(bringsService && { service: (uid: string) => serviceOf(order, uid) }),
  };
}

function refuse(why: string, retry: Refusal['retry']): Refusal {
  return { kind: 'refused', why, retry };
}

function imageOf({ program }: PodOrder, { trainerImage }: PodSettings): string | Refusal {
  if (program.kind === 'trainer')
    return (
      trainerImage ?? refuse('no image is set for the trainer: set trainerImage of the Kubernetes driver', 'never')
    );
  return program.image ?? refuse('its container has no image: add image to the container of the pod set', 'never');
}

function labelsOf({ pod, workloadName, rank }: PodOrder): Readonly<Record<string, string>> {
  return {
    [LABEL.managedBy]: MANAGER,
    [LABEL.workload]: pod.workload,
    [LABEL.workloadName]: workloadName,
    [LABEL.incarnation]: String(pod.incarnation),
    [LABEL.podSet]: pod.podSet,
    [LABEL.index]: String(pod.index),
    [LABEL.rank]: String(rank),
  };
}

function annotationsOf({ program, slots, epoch }: PodOrder): Readonly<Record<string, string>> {
  return {
    [ANNOTATION.program]: program.kind,
    [ANNOTATION.slots]: slotList(slots),
    [ANNOTATION.epoch]: String(epoch),
  };
}

function containerOf(order: PodOrder, image: string, devices: Readonly<Record<string, string>>): object {
  const { program, cpuMilli, memoryMib, pod } = order;
  const memory = `${memoryMib}Mi`;
  return {
    name: MAIN_CONTAINER,
    image,
    ...(program.kind === 'trainer' ? { args: ['--file', `${SECRET_FOLDER}/job.json`] } : { command: program.command }),
    env: Object.entries(environmentOf(order)).map(([name, value]) => ({ name, value: literal(value) })),
    resources: {
      requests: { cpu: `${cpuMilli}m`, memory, ...devices },
      // Idle CPU may be used; memory cannot be taken back.
      limits: { memory, ...devices },
    },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'berth', mountPath: SECRET_FOLDER, readOnly: true },
      { name: 'workload', mountPath: WORKLOAD_FOLDER, subPath: pod.workload },
    ],
  };
}

/** The kubelet would replace `$(NAME)`. */
function literal(value: string): string {
  return value.replaceAll('$(', '$$$$(');
}

/** The contract of `PodEnvironmentSchema`. It comes last: a program's own variables cannot make it another pod. */
function environmentOf(order: PodOrder): Readonly<Record<string, string>> {
  const { program, pod, worldSize } = order;
  return {
    ...(program.kind === 'command' ? program.env : {}),
    BERTH_WORKLOAD: pod.workload,
    BERTH_POD: order.name,
    BERTH_INCARNATION: String(pod.incarnation),
    BERTH_WORKLOAD_DIR: WORKLOAD_FOLDER,
    BERTH_DEVICES: slotList(order.slots),
    BERTH_VIRTUAL_DEVICES: '0',
    BERTH_STATUS_URL: order.status.url,
    BERTH_STATUS_TOKEN_FILE: `${SECRET_FOLDER}/token`,
    BERTH_GRACE_SECONDS: String(order.graceSeconds),
    RANK: String(order.rank),
    WORLD_SIZE: String(worldSize),
    MASTER_ADDR: worldSize > 1 ? `${hostnameOf(0)}.${serviceNameOf(order)}` : '127.0.0.1',
    MASTER_PORT: String(MASTER_PORT),
  };
}

/** The core has put it there in spite of these; others come later, and may end it. */
function tolerationsOf({ spec }: MappedNode): readonly object[] {
  return spec.taints.flatMap(({ key, value, effect }) =>
    effect === 'NoExecute' ? [{ key, operator: 'Equal', value, effect }] : [],
  );
}

function secretOf(order: PodOrder, uid: string): object {
  const { program, status } = order;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: order.name, namespace: order.team, labels: labelsOf(order), ...ownedBy(order, uid) },
    immutable: true,
    data: {
      token: base64(status.token),
      ...(program.kind === 'trainer' && { 'job.json': base64(JSON.stringify(program.job)) }),
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Of one incarnation, so that no pod of an older one is found by it. It goes with the pod of rank 0. */
function serviceOf(order: PodOrder, uid: string): object {
  const { workload, incarnation } = order.pod;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: serviceNameOf(order),
      namespace: order.team,
      labels: { [LABEL.managedBy]: MANAGER, [LABEL.workload]: workload },
      ...ownedBy(order, uid),
    },
    spec: {
      clusterIP: 'None',
      // Whoever waits for rank 0 waits for its process, and not for a probe.
      publishNotReadyAddresses: true,
      selector: { [LABEL.workload]: workload, [LABEL.incarnation]: String(incarnation) },
      ports: [{ name: 'master', port: MASTER_PORT }],
    },
  };
}

function ownedBy({ name }: PodOrder, uid: string): object {
  return { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid }] };
}

function hostnameOf(rank: number): string {
  return `rank-${rank}`;
}

/** Begins with a letter, as the names of services must. */
function serviceNameOf({ pod }: PodOrder): string {
  return `w-${pod.workload}-${pod.incarnation}`;
}
