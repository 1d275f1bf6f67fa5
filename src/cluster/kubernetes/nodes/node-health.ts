import type { NodeName, NodeState } from '../../../core/index.js';
import { HeardClock } from './heard-clock.js';
import type { KubeLease, KubeNode } from '../kube-types.js';

/** What there is to say of a node; the driver says it as an observation. */
export type NodeVerdict =
  | { readonly kind: 'node-state-changed'; readonly node: NodeName; readonly state: NodeState; readonly cause: string }
  | { readonly kind: 'node-fenced'; readonly node: NodeName };

/** A kubelet renews its lease four times in its length: every 10 s of the usual 40. */
const RENEWALS_PER_LEASE = 4;
/** Two are missed, and a tenth for their jitter: 22 s. */
const SUSPECT_AFTER_LEASES = (2 / RENEWALS_PER_LEASE) * 1.1;
/** 60 s. */
const LOST_AFTER_LEASES = 6 / RENEWALS_PER_LEASE;
const LEASE_SECONDS_DEFAULT = 40;
/** Renewals in a row after which a node that was silent is believed. */
const RENEWALS_BELIEVED = 2;

type Silence = 'none' | 'suspect' | 'lost';

interface Watched {
  renewTime: string | undefined;
  leaseMs: number;
  /** By the clock of what was heard; absent while it has no lease. */
  renewedAtMs: number | undefined;
  silence: Silence;
  renewals: number;
  /** What the node says of itself, when it is not ready. */
  complaint: string | undefined;
  bootId: string;
  /** The boot that was lost, until the node is healthy again. */
  lostBootId: string | undefined;
  told: NodeState | undefined;
}

/**
 * The states of nodes, by what is seen of them and when. Pure: times are passed in, and are those of Berth's own clock;
 * what the clock of a node says is only compared with what it said before.
 *
 * A node is `suspect` when it says that it is not ready, or has missed two renewals of its lease; `lost` after six. It
 * is healthy again after two renewals. Of a node that was seen for the first time nothing is said before there is a
 * sign of it. `node-fenced` is said of one that was lost and has started anew: another boot id. Nothing else that a
 * node does proves that its old pods are gone; those prove it one by one, by being deleted.
 */
export class NodeHealth {
  private readonly clock = new HeardClock();
  private readonly nodes = new Map<NodeName, Watched>();
  private readonly leases = new Map<NodeName, KubeLease>();

  hear(atMs: number): void {
    this.clock.hear(atMs);
  }

  miss(): void {
    this.clock.miss();
  }

  seeNode(node: KubeNode): readonly NodeVerdict[] {
    const { name } = node.metadata;
    const watched = this.nodes.get(name) ?? this.begin(name);
    const bootId = node.status?.nodeInfo?.bootID ?? '';
    watched.complaint = complaintOf(node);
    const { lostBootId } = watched;
    const isFenced = lostBootId !== undefined && lostBootId !== '' && bootId !== '' && bootId !== lostBootId;
    if (isFenced) watched.lostBootId = bootId;
    watched.bootId = bootId;
    return [...(isFenced ? [{ kind: 'node-fenced', node: name } as const] : []), ...this.tell(name, watched)];
  }

  removeNode(name: NodeName): void {
    this.nodes.delete(name);
  }

  /** As the watch shows it. The first one that is seen may be old, so it is no sign of life. */
  seeLease(lease: KubeLease): readonly NodeVerdict[] {
    const { name } = lease.metadata;
    this.leases.set(name, lease);
    const watched = this.nodes.get(name);
    return watched === undefined ? [] : this.take(name, watched, lease);
  }

  removeLease(name: NodeName): void {
    this.leases.delete(name);
  }

  /** Nodes whose silence would change their state: their leases are to be read, then `confirm`ed. */
  overdue(): readonly NodeName[] {
    return [...this.nodes].flatMap(([name, watched]) => (this.silenceOf(watched) === watched.silence ? [] : [name]));
  }

  /** Its lease as it was just read from the server; absent: there is none. Only so is silence believed. */
  confirm(name: NodeName, lease: KubeLease | undefined): readonly NodeVerdict[] {
    const watched = this.nodes.get(name);
    if (watched === undefined) return [];
    if (lease !== undefined && lease.spec?.renewTime !== watched.renewTime) return this.take(name, watched, lease);
    watched.silence = this.silenceOf(watched);
    if (watched.silence !== 'none') watched.renewals = 0;
    if (watched.silence === 'lost') watched.lostBootId ??= watched.bootId;
    return this.tell(name, watched);
  }

  private begin(name: NodeName): Watched {
    const watched: Watched = {
      renewTime: undefined,
      leaseMs: LEASE_SECONDS_DEFAULT * 1000,
      renewedAtMs: undefined,
      silence: 'none',
      renewals: 0,
      complaint: undefined,
      bootId: '',
      lostBootId: undefined,
      told: undefined,
    };
    this.nodes.set(name, watched);
    const lease = this.leases.get(name);
    if (lease !== undefined) this.take(name, watched, lease);
    return watched;
  }

  private take(name: NodeName, watched: Watched, { spec = {} }: KubeLease): readonly NodeVerdict[] {
    const { renewTime, leaseDurationSeconds = LEASE_SECONDS_DEFAULT } = spec;
    watched.leaseMs = leaseDurationSeconds * 1000;
    if (renewTime === watched.renewTime) return [];
    const isFirst = watched.renewTime === undefined;
    watched.renewTime = renewTime;
    watched.renewedAtMs = this.clock.nowMs;
    if (isFirst) return [];
    watched.renewals += 1;
    // One that was lost answers: whether it will go on is seen at the next renewal.
    if (watched.silence === 'lost') watched.silence = 'suspect';
    if (watched.renewals >= RENEWALS_BELIEVED) watched.silence = 'none';
    return this.tell(name, watched);
  }

  /** Silence only grows by waiting; a renewal ends it. */
  private silenceOf({ renewedAtMs, leaseMs, silence }: Watched): Silence {
    if (renewedAtMs === undefined) return silence;
    const silentMs = this.clock.nowMs - renewedAtMs;
    if (silentMs >= leaseMs * LOST_AFTER_LEASES) return 'lost';
    return silence === 'none' && silentMs >= leaseMs * SUSPECT_AFTER_LEASES ? 'suspect' : silence;
  }

  private tell(node: NodeName, watched: Watched): readonly NodeVerdict[] {
    const verdict = this.verdictOf(watched);
    if (verdict === undefined || verdict.state === watched.told) return [];
    watched.told = verdict.state;
    if (verdict.state === 'healthy') watched.lostBootId = undefined;
    return [{ kind: 'node-state-changed', node, ...verdict }];
  }

  private verdictOf(watched: Watched): { readonly state: NodeState; readonly cause: string } | undefined {
    const { silence, complaint, renewals, renewedAtMs = this.clock.nowMs } = watched;
    const silentSeconds = Math.round((this.clock.nowMs - renewedAtMs) / 1000);
    if (silence === 'lost') return { state: 'lost', cause: `its lease was not renewed for ${silentSeconds} s` };
    if (silence === 'suspect' && renewals > 0) return { state: 'suspect', cause: 'it renews its lease again' };
    if (silence === 'suspect') return { state: 'suspect', cause: `its lease was not renewed for ${silentSeconds} s` };
    if (complaint !== undefined) return { state: 'suspect', cause: complaint };
    if (watched.told === undefined && renewals === 0 && watched.renewTime !== undefined) return undefined;
    return { state: 'healthy', cause: '' };
  }
}

function complaintOf(node: KubeNode): string | undefined {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  const message = ready?.message ?? 'its kubelet has not reported yet';
  return `it is not ready: ${message}`;
}
