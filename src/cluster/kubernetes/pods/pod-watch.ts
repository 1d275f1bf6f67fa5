import type { NodeName, NodeState, PodRef } from '../../../core/index.js';
import type { FoundPod, Observation, PodSeen } from '../../cluster.js';
import { GANG_LABEL } from '../found/pod-membership.js';
import { lifeOfFound } from './found-pod-life.js';
import type { KubePod } from '../kube-types.js';
import type { Placing } from './placed-pods.js';
import { orderNameOf, podRefOf } from './pod-labels.js';
import { endOfVanished, lifeOf, type PodLife } from './pod-life.js';
import { outputOfCreated, outputOfFound, type PodOutput } from './pod-output.js';

/** A pod that Berth has created, or found and bound, as it is kept. */
export interface OwnPod {
  /** That of its order, by which the ledger knows it: the object of a found pod has a name of its own. */
  readonly name: string;
  readonly origin: 'created' | 'found';
  /** Found, of no gang, and without an owner who would make another. */
  readonly isBare: boolean;
  readonly object: FoundPod;
  readonly ref: PodRef;
  /** Absent: it was not bound. */
  readonly node: NodeName | undefined;
  readonly life: PodLife;
  /** It was asked to stop. */
  readonly isStopping: boolean;
  readonly output: PodOutput;
  /** How it has ended, should it be gone without having been seen to end. */
  readonly vanished: Pick<PodLife, 'end' | 'detail'>;
}

/** Absent: a pod of somebody else. `placing`: what Berth has bound it as. */
export function ownPodOf(pod: KubePod, placing: Placing | undefined): OwnPod | undefined {
  const created = podRefOf(pod);
  if (created !== undefined) {
    const life = lifeOf(pod);
    return {
      name: pod.metadata.name,
      origin: 'created',
      isBare: false,
      ref: created,
      life,
      output: outputOfCreated(life),
      ...signsOf(pod),
    };
  }
  if (placing === undefined) return undefined;
  const { pod: ref } = placing;
  return {
    name: orderNameOf(ref),
    origin: 'found',
    isBare: isBare(pod),
    ref,
    life: lifeOfFound(pod),
    output: outputOfFound(pod),
    ...signsOf(pod),
  };
}

function isBare({ metadata: { ownerReferences = [], labels = {} }, spec = {} }: KubePod): boolean {
  const isOwned = ownerReferences.some(({ controller }) => controller === true);
  return !isOwned && labels[GANG_LABEL] === undefined && spec.schedulingGroup === undefined;
}

function signsOf(pod: KubePod): Pick<OwnPod, 'object' | 'node' | 'isStopping' | 'vanished'> {
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
  return {
    object: { namespace, name, uid },
    node: pod.spec?.nodeName,
    isStopping: deletionTimestamp !== undefined,
    vanished: endOfVanished(pod),
  };
}

export interface PodWatchOptions {
  readonly observe: (observation: Observation) => void;
  /** The end of its output; never throws, and is empty when there is none. */
  readonly logTail: (pod: OwnPod) => Promise<string>;
  readonly stateOf: (node: NodeName) => NodeState | undefined;
  /** Found pods, by their uid, whose end may have been missed. */
  readonly awaited: Set<string>;
  /** It was bound a moment ago, and may have ended since. */
  readonly isBinding: (name: string) => boolean;
}

const TOLD = ['nothing', 'bound', 'started', 'ended', 'gone'] as const;

interface Entry {
  pod: OwnPod;
  told: (typeof TOLD)[number];
  isDeleted: boolean;
  /** Its end is told with its output, which takes a moment to read. */
  logTail: Promise<string> | undefined;
  output: string | undefined;
}

/**
 * Tells the lives of pods in order, each step once, by what is known of them now. What could not be told is told at the
 * next look, so whoever observes may refuse.
 */
export class PodWatch {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: PodWatchOptions) {}

  see(pod: OwnPod): void {
    const known = this.entries.get(pod.name);
    if (known?.pod.object.uid === pod.object.uid) known.pod = pod;
    else if (pod.origin === 'created' || (known === undefined && this.isNews(pod)))
      this.entries.set(pod.name, { pod, told: 'nothing', isDeleted: false, logTail: undefined, output: undefined });
  }

  /** It is no longer in the API server. */
  delete(pod: OwnPod): void {
    const known = this.entries.get(pod.name);
    if (known?.pod.object.uid !== pod.object.uid) return;
    known.pod = pod;
    known.isDeleted = true;
  }

  find(name: string): { readonly pod: OwnPod; readonly isDeleted: boolean; readonly hasGone: boolean } | undefined {
    const entry = this.entries.get(name);
    return entry && { pod: entry.pod, isDeleted: entry.isDeleted, hasGone: entry.told === 'gone' };
  }

  /** A found pod stands there: when its node starts anew, its kubelet may start it again. */
  hasFoundOn(node: NodeName): boolean {
    return [...this.entries.values()].some(
      ({ pod, told, isDeleted }) => pod.origin === 'found' && pod.node === node && told !== 'gone' && !isDeleted,
    );
  }

  /** Its end is noted: whatever becomes of a found pod after it is nobody's news. */
  forget(name: string): void {
    this.entries.delete(name);
  }

  list(): readonly PodSeen[] {
    return [...this.entries.values()].map(({ pod: { name, ref, node = '', life } }) => ({
      name,
      pod: ref,
      node,
      state: life.phase === 'pending' ? 'bound' : life.phase,
      ...(life.end !== undefined && { end: life.end }),
    }));
  }

  newestIncarnation(workload: string): number {
    const refs = [...this.entries.values()].map(({ pod }) => pod.ref).filter((ref) => ref.workload === workload);
    return Math.max(0, ...refs.map(({ incarnation }) => incarnation));
  }

  /** At all of them: what could not be told before, and what waits for its node. */
  look(): void {
    for (const name of this.entries.keys()) this.lookAt(name);
  }

  lookAt(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.tellLife(entry);
    if (entry.told === 'gone' && entry.isDeleted) this.entries.delete(name);
  }

  /** A found pod that has ended stays for as long as whoever made it likes. */
  private isNews({ name, object: { uid }, life }: OwnPod): boolean {
    const isAwaited = this.options.awaited.delete(uid);
    return !life.isGone || isAwaited || this.options.isBinding(name);
  }

  private tellLife(entry: Entry): void {
    const { pod, isDeleted } = entry;
    const { phase, end } = pod.life;
    const isFound = pod.origin === 'found';
    if (phase !== 'pending') this.tell(entry, 'bound', { kind: 'pod-bound', pod: pod.ref });
    // One that ended with an exit code has run, also when nobody saw it run.
    const hasRun = isFound || phase === 'started' || (end?.exitCode !== undefined && end.outcome !== 'lost');
    if (hasRun) this.tell(entry, 'started', { kind: 'pod-started', pod: pod.ref });
    const last = end === undefined ? (isDeleted ? pod.vanished : undefined) : pod.life;
    if (last?.end === undefined || entry.told === 'gone') return;
    if (!this.hasOutput(entry, end === undefined || isDeleted ? 'unreadable' : 'readable')) return;
    const { detail } = last;
    const output = entry.output ?? '';
    this.tell(entry, 'ended', {
      kind: 'pod-ended',
      pod: pod.ref,
      ...last.end,
      ...(detail !== undefined && { detail }),
      ...(output !== '' && { logTail: output }),
    });
    if (pod.life.isGone || (isDeleted && this.isProven(pod)))
      this.tell(entry, 'gone', { kind: 'pod-gone', pod: pod.ref });
  }

  private hasOutput(entry: Entry, log: 'readable' | 'unreadable'): boolean {
    if (entry.told === 'ended' || entry.output !== undefined) return true;
    if (entry.logTail === undefined && log === 'unreadable') return true;
    entry.logTail ??= this.options.logTail(entry.pod).then((text) => {
      entry.output = text;
      return text;
    });
    void entry.logTail.then(() => {
      this.lookAgain(entry);
    });
    return false;
  }

  private lookAgain(entry: Entry): void {
    try {
      this.lookAt(entry.pod.name);
    } catch {
      // Whoever observes is full: the next look tells it.
    }
  }

  /**
   * Who deletes by force needs no kubelet, and nor does the control plane when a node is removed: while the kubelet does
   * not answer, the pod may run on. One that answers ends what it does not find in the API server.
   */
  private isProven({ node }: OwnPod): boolean {
    return node === undefined || this.options.stateOf(node) === 'healthy';
  }

  private tell(entry: Entry, step: Entry['told'], observation: Observation): void {
    if (TOLD.indexOf(entry.told) >= TOLD.indexOf(step)) return;
    this.options.observe(observation);
    entry.told = step;
  }
}
