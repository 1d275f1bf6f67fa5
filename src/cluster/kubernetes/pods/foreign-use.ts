import { isDeepStrictEqual } from 'node:util';
import type { V1PodSpec } from '@kubernetes/client-node';
import type { NodeName, Resources } from '../../../core/index.js';
import type { Observation } from '../../cluster.js';
import type { KubePod } from '../kube-types.js';
import type { DeviceResource } from '../nodes/node-spec-of.js';
import type { Placing } from './placed-pods.js';
import { podRefOf, slotsOf } from './pod-labels.js';
import { amountsOf, podRequests } from '../reading/pod-requests.js';
import type { Timers } from '../timers.js';

/** What a pod takes of the node that it is bound to, as it is kept. */
export interface Tenant {
  readonly owner: 'berth' | 'another';
  readonly uid: string;
  readonly node: NodeName;
  /** Those that it is said to have. */
  readonly slots: readonly number[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** How many it asks for, by the resource. */
  readonly devices: Readonly<Record<string, number>>;
}

const MIB = 2 ** 20;

/** Absent: it takes nothing, because it is on no node, or has ended. `placing`: what Berth has bound it as. */
export function tenantOf(pod: KubePod, placing: Placing | undefined): Tenant | undefined {
  const { nodeName: node = '' } = pod.spec ?? {};
  const { phase } = pod.status ?? {};
  if (node === '' || phase === 'Succeeded' || phase === 'Failed') return undefined;
  const { uid } = pod.metadata;
  const sum = new Map(podRequests({ containers: [], ...pod.spec } as unknown as V1PodSpec));
  for (const [name, amount] of amountsOf(pod.spec?.overhead)) sum.set(name, (sum.get(name) ?? 0) + amount);
  const devices = [...sum].filter(([name, amount]) => name.includes('/') && amount > 0);
  return {
    owner: podRefOf(pod) === undefined && placing === undefined ? 'another' : 'berth',
    uid,
    node,
    slots: placing?.slots ?? slotsOf(pod),
    cpuMilli: sum.get('cpu') ?? 0,
    memoryMib: Math.ceil((sum.get('memory') ?? 0) / MIB),
    devices: Object.fromEntries(devices),
  };
}

/** What pods of others take of one node. */
export interface NodeUse {
  readonly use: Resources;
  /** Rising. */
  readonly slots: readonly number[];
}

/** The same for the same tenants, in whatever order they came. */
export function foreignUseOf(tenants: readonly Tenant[], devices: readonly DeviceResource[]): NodeUse {
  const foreign = tenants.filter(({ owner }) => owner === 'another');
  const ours = new Set(tenants.flatMap(({ owner, slots }) => (owner === 'berth' ? slots : [])));
  return {
    use: {
      cpuMilli: foreign.reduce((sum, { cpuMilli }) => sum + cpuMilli, 0),
      memoryMib: foreign.reduce((sum, { memoryMib }) => sum + memoryMib, 0),
      pods: foreign.length,
    },
    slots: devices.flatMap((device) => slotsTaken(device, foreign, ours)),
  };
}

/**
 * Which slots of a resource are not ours to give. A pod has those that its annotation names, if these are exactly as many
 * as it asks for; they are the only ones known, because the kubelet tells nobody which devices a pod has. All others together have as many as they ask for, rounded up to whole ones: those with the highest
 * numbers that nobody is known to have; and only where these do not suffice, the highest that a pod of ours has.
 */
function slotsTaken(
  { resource, firstSlot, slots: count, replicas }: DeviceResource,
  foreign: readonly Tenant[],
  ours: ReadonlySet<number>,
): readonly number[] {
  const taken = new Set<number>();
  let unnamed = 0;
  for (const { devices, slots } of foreign) {
    const asked = devices[resource] ?? 0;
    const isSaid = slots.length === Object.values(devices).reduce((sum, count) => sum + count, 0);
    const named = new Set((isSaid ? slots : []).filter((slot) => slot >= firstSlot && slot < firstSlot + count));
    if (replicas > 1 || named.size !== asked) unnamed += asked;
    else for (const slot of named) taken.add(slot);
  }
  const highestFirst = Array.from({ length: count }, (_, index) => firstSlot + count - 1 - index);
  const others = highestFirst.filter((slot) => !taken.has(slot));
  const candidates = [...others.filter((slot) => !ours.has(slot)), ...others.filter((slot) => ours.has(slot))];
  for (const slot of candidates.slice(0, Math.ceil(unnamed / replicas))) taken.add(slot);
  return [...taken].sort((a, b) => a - b);
}

export interface ForeignUseOptions {
  readonly timers: Timers;
  readonly observe: (observation: Observation) => void;
  readonly devicesOf: (node: NodeName) => readonly DeviceResource[];
}

/** Changes that come within this time are told as one: a fresh list of pods is one look at each node. */
const GATHER_MS = 100;

/**
 * Tells for each node what pods of others take of it: once when the node was told of, even if it is nothing, and then
 * when it has changed. What could not be told is told at the next look.
 */
export class ForeignUse {
  private readonly tenants = new Map<string, Tenant>();
  private readonly tenantsOn = new Map<NodeName, Map<string, Tenant>>();
  /** Nodes that were told of, with what was told of their use. */
  private readonly told = new Map<NodeName, NodeUse | undefined>();
  /** Those of them that may have to be told of again. */
  private readonly changed = new Set<NodeName>();
  /** Pods, by uid, that are Berth's, and that the ledger does not count. */
  private readonly disowned = new Set<string>();
  private cancelLook: (() => void) | undefined;

  constructor(private readonly options: ForeignUseOptions) {}

  /** A pod as it is now; `undefined`: it takes nothing any more. */
  see(uid: string, seen: Tenant | undefined): void {
    if (seen === undefined) this.disowned.delete(uid);
    const tenant = seen !== undefined && this.disowned.has(uid) ? { ...seen, owner: 'another' as const } : seen;
    const before = this.tenants.get(uid);
    if (isDeepStrictEqual(before, tenant)) return;
    if (before !== undefined) this.leave(before);
    if (tenant !== undefined) this.enter(tenant);
  }

  /** The ledger has nothing of this pod, so it counts as one of others; before anything else is decided. */
  disown(uid: string): void {
    this.disowned.add(uid);
    this.see(uid, this.tenants.get(uid));
    this.tryToLook();
  }

  /** Its devices may be others, and whoever forgot the node knows nothing of its use. */
  nodeSeen(node: NodeName): void {
    if (!this.told.has(node)) this.told.set(node, undefined);
    this.change(node);
  }

  nodeRemoved(node: NodeName): void {
    this.told.delete(node);
    this.changed.delete(node);
  }

  look(): void {
    for (const node of this.changed) {
      this.tell(node);
      this.changed.delete(node);
    }
  }

  stop(): void {
    this.cancelLook?.();
  }

  private enter(tenant: Tenant): void {
    const { uid, node } = tenant;
    const there = this.tenantsOn.get(node) ?? new Map<string, Tenant>();
    this.tenants.set(uid, tenant);
    this.tenantsOn.set(node, there.set(uid, tenant));
    this.change(node);
  }

  private leave({ uid, node }: Tenant): void {
    const there = this.tenantsOn.get(node);
    this.tenants.delete(uid);
    there?.delete(uid);
    if (there?.size === 0) this.tenantsOn.delete(node);
    this.change(node);
  }

  /** A node that nobody was told of is looked at when it is seen. */
  private change(node: NodeName): void {
    if (!this.told.has(node)) return;
    this.changed.add(node);
    this.cancelLook ??= this.options.timers.after(GATHER_MS, () => {
      this.cancelLook = undefined;
      this.tryToLook();
    });
  }

  private tryToLook(): void {
    try {
      this.look();
    } catch {
      // Whoever observes is full: the next look tells it.
    }
  }

  private tell(node: NodeName): void {
    const { observe, devicesOf } = this.options;
    const present = foreignUseOf([...(this.tenantsOn.get(node)?.values() ?? [])], devicesOf(node));
    if (isDeepStrictEqual(present, this.told.get(node))) return;
    observe({ kind: 'foreign-use-seen', node, ...present });
    this.told.set(node, present);
  }
}
