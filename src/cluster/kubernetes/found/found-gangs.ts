import { isDeepStrictEqual } from 'node:util';
import type { WorkloadId } from '../../../core/index.js';
import type { FoundPod, FoundWorkload, LedgerView, Observation } from '../../cluster.js';
import type { Surroundings, Topic } from './found-surroundings.js';
import { gangOf, latecomerOf, neededOf, type Gang, type GangMember, type GangSurroundings } from './gang-of.js';
import type { PodFlavors } from '../reading/pod-devices.js';
import { podMembership, teamOf, type GangSigns, type PodMembership } from './pod-membership.js';
import type { PodNote } from '../notes/pod-note.js';
import type { PodObject } from '../reading/pod-object.js';
import { podSetOf } from '../reading/pod-set-of.js';
import { QueueBook } from './queue-book.js';
import type { SeenFoundPod } from './seen-found-pod.js';
import type { Timers } from '../timers.js';
import { ToldWorkloads } from './told-workloads.js';
import { WaitingPods, type WaitingPod } from './waiting-pods.js';

export interface FoundGangsOptions {
  readonly timers: Timers;
  readonly surroundings: Surroundings;
  readonly observe: (observation: Observation) => void;
  /** Why pods wait that make no workload yet; each time that it is something else. */
  readonly note: (pods: readonly FoundPod[], note: PodNote) => void;
}

/** Changes that come within this time are looked at as one: a gang of many pods is read once. */
const GATHER_MS = 100;
/** Gangs that are looked at in one turn, between which others have theirs. */
const LOOKS_MAX = 250;

/** The ledger knows it by its pods, and they are the same. */
const WORKLOAD_ENDED: PodNote = {
  reason: 'WorkloadEnded',
  message:
    'its workload has ended, and pods that others made are placed once: delete it, so that its owner makes another',
};

type Complete = Extract<Gang, { readonly kind: 'complete' }>;

/** What the ledger says. */
interface Rules {
  readonly view: LedgerView;
  readonly queues: QueueBook;
}

interface Looked {
  readonly pods: readonly WaitingPod[];
  readonly rules: Rules;
  readonly leads: string | undefined;
}

/**
 * Finds the workloads that pods of others make: tells of each once, when all of its pods are there that it needs, and
 * when one of them was taken back. What could not be told is told at the next look, so whoever observes may refuse.
 */
export class FoundGangs {
  /** All that are in the API server, by uid. */
  private readonly pods = new Map<string, SeenFoundPod>();
  private readonly waiting: WaitingPods;
  private readonly told = new ToldWorkloads();
  /** Pods that still wait, by uid, with their workload that ended without them. */
  private readonly ended = new Map<string, WorkloadId>();
  /** Pods, by uid, that run without the ledger. */
  private readonly left = new Map<string, FoundPod>();
  /** Withdrawals that nobody has heard of yet, with the reason. */
  private readonly withdrawn = new Map<WorkloadId, string>();
  /** Gangs to look at. */
  private readonly changed = new Set<string>();
  private rules: Rules | undefined;
  private flavors: PodFlavors | undefined;
  private hasBegun = false;
  private cancelLook: (() => void) | undefined;

  constructor(private readonly options: FoundGangsOptions) {
    const { surroundings } = options;
    this.waiting = new WaitingPods({
      membershipOf: (pod) => this.membershipOf(pod),
      changed: (gang) => {
        this.change(gang);
      },
      read: (pod) => podSetOf(pod, { flavors: this.flavorsNow(), storage: surroundings.storage }),
    });
  }

  /** Of what it says was found before, only what it says before `begin` counts: later, more is known here. */
  know(view: LedgerView): void {
    const before = this.rules?.view;
    this.rules = { view, queues: new QueueBook(view) };
    if (this.hasBegun) this.tellAgain(view);
    if (before !== undefined && isDeepStrictEqual(rulesOf(before), rulesOf(view))) return;
    this.concernAll();
  }

  /** A pod as it is now. */
  see(pod: SeenFoundPod): void {
    this.pods.set(pod.object.metadata.uid, pod);
    if (this.hasBegun) this.take(pod);
  }

  /** It is no longer in the API server; the pod as it was last. */
  delete(pod: SeenFoundPod): void {
    const { uid } = pod.object.metadata;
    this.pods.delete(uid);
    this.left.delete(uid);
    this.ended.delete(uid);
    if (this.hasBegun) this.take(hasEnded(pod) ? pod : { state: 'leaving', object: pod.object });
  }

  /** It runs on, and the ledger does not know where: so nothing becomes of its workload. */
  leave(pod: FoundPod): void {
    this.left.set(pod.uid, pod);
    const workload = this.told.workloadOf(pod.uid);
    const why = `pod ${pod.namespace}/${pod.name} was bound when it was no more to be, and runs on`;
    if (this.hasBegun && workload !== undefined) this.withdraw(workload, why);
  }

  /** It has ended: those of its pods that still wait may make another one. */
  release(workload: WorkloadId): void {
    for (const { uid } of this.told.podsOf(workload)) {
      if (this.pods.get(uid)?.state === 'waiting') this.ended.set(uid, workload);
    }
    this.free(workload);
  }

  concern(topic: Topic): void {
    if (topic === 'devices') this.concernAll();
    else this.waiting.concern(topic);
  }

  /** All pods that exist have been seen: from here on it tells. */
  begin(): void {
    this.hasBegun = true;
    for (const workload of this.rules?.view.found ?? []) this.adopt(workload);
    for (const pod of this.pods.values()) this.take(pod);
    for (const pod of this.left.values()) this.leave(pod);
  }

  look(): void {
    const { rules } = this;
    if (!this.hasBegun || rules === undefined) return;
    for (const [workload, why] of this.withdrawn) {
      this.options.observe({ kind: 'workload-withdrawn', workload, why });
      this.free(workload);
    }
    // One that cannot be told of goes behind the others.
    for (const gang of [...this.changed].slice(0, LOOKS_MAX)) {
      this.changed.delete(gang);
      try {
        this.lookAt(gang, rules);
      } catch (error) {
        this.changed.add(gang);
        throw error;
      }
    }
    if (this.changed.size > 0) this.lookSoon(0);
  }

  stop(): void {
    this.hasBegun = false;
    this.cancelLook?.();
  }

  /** Of a workload that was told of, and whose pods have not all ended. */
  podsOf(workload: WorkloadId): readonly FoundPod[] {
    return this.told.podsOf(workload);
  }

  private membershipOf({ metadata, spec }: GangSigns): PodMembership {
    const { podGroup } = this.options.surroundings;
    if (podGroup === undefined && spec.schedulingGroup?.podGroupName !== undefined) {
      const message = 'spec.schedulingGroup: this cluster does not serve PodGroup of scheduling.k8s.io/v1beta1';
      return { kind: 'unclear', key: metadata.uid, note: { reason: 'NotSupported', message } };
    }
    return podMembership({ metadata, spec }, (namespace, name) => podGroup?.(namespace, name));
  }

  private take(pod: SeenFoundPod): void {
    const { metadata } = pod.object;
    const workload = this.told.workloadOf(metadata.uid);
    if (workload === undefined) {
      if (pod.state === 'waiting') this.waiting.put(pod.object);
      else this.waiting.remove(metadata.uid);
    } else if (this.told.isLiving(metadata.uid)) {
      const started = pod.state === 'waiting' || pod.state === 'gated' ? undefined : this.told.start(metadata.uid);
      if (started !== undefined) this.change(started);
      if (pod.state === 'succeeded') this.told.end(metadata.uid);
      if (pod.state === 'failed') this.told.fail(metadata.uid);
      if (pod.state === 'leaving') this.withdraw(workload, wasDeleted(metadata));
    }
  }

  /** What an earlier server was told of. */
  private adopt(found: FoundWorkload): void {
    const pods = Object.values(found.pods).flat();
    const seen = pods.flatMap(({ uid }) => this.pods.get(uid) ?? []);
    const missing = pods.find(({ uid }) => !this.pods.has(uid));
    const alive = seen.find((pod) => !hasEnded(pod));
    this.told.add(found, alive && gangLedBy(this.membershipOf(alive.object), pods.length));
    if (missing !== undefined) this.withdraw(found.workload, wasDeleted(missing));
  }

  private withdraw(workload: WorkloadId, why: string): void {
    if (this.withdrawn.has(workload)) return;
    this.withdrawn.set(workload, why);
    this.lookSoon(GATHER_MS);
  }

  private free(workload: WorkloadId): void {
    const pods = this.told.podsOf(workload);
    this.withdrawn.delete(workload);
    this.told.remove(workload);
    for (const { uid } of pods) {
      const pod = this.pods.get(uid);
      if (pod?.state === 'waiting') this.waiting.put(pod.object);
    }
  }

  /**
   * Those that the ledger has not: their queue had gone when they were told, or they have ended. Telling again what it is
   * about to note changes nothing.
   */
  private tellAgain({ found }: LedgerView): void {
    const noted = new Set(found.map(({ workload }) => workload));
    for (const workload of this.told.all()) {
      const pods = this.told.podsOf(workload);
      const isUntouched = pods.every(({ uid }) => this.pods.get(uid)?.state === 'waiting');
      if (!noted.has(workload) && isUntouched) this.free(workload);
    }
  }

  private concernAll(): void {
    this.flavors = undefined;
    this.waiting.concernAll();
  }

  private flavorsNow(): PodFlavors {
    this.flavors ??= this.options.surroundings.flavorsOf(this.rules?.view.flavors ?? []);
    return this.flavors;
  }

  private change(gang: string): void {
    this.changed.add(gang);
    this.lookSoon(GATHER_MS);
  }

  private lookSoon(ms: number): void {
    if (!this.hasBegun) return;
    this.cancelLook ??= this.options.timers.after(ms, () => {
      this.cancelLook = undefined;
      try {
        this.look();
      } catch {
        // Whoever observes is full: the next look tells it.
      }
    });
  }

  private lookAt(key: string, rules: Rules): void {
    const pods = this.waiting.ofGang(key);
    const [first] = pods;
    if (first === undefined) return;
    if (this.told.hasGang(key)) {
      if (!this.told.hasStarted(key)) {
        this.say(pods, { reason: 'WaitingForGang', message: 'waits until the pods that its gang needs have started' });
        return;
      }
      for (const pod of pods) {
        this.conclude(latecomerOf(pod.membership, pod, this.around(pod)), { pods: [pod], rules, leads: undefined });
      }
      return;
    }
    // One whose signs are not clear speaks for all: nobody knows what it is a part of.
    const { membership } = pods.find((pod) => pod.membership.kind === 'unclear') ?? first;
    const leads = gangLedBy(membership, pods.length);
    this.conclude(gangOf(membership, pods, this.around(first)), { pods, rules, leads });
  }

  private around({ pod }: GangMember): GangSurroundings {
    const { surroundings } = this.options;
    return {
      namespaceLabels: surroundings.namespaceLabels(pod.metadata.namespace),
      levelOf: (label) => surroundings.levelOf(label),
    };
  }

  private conclude(gang: Gang, { pods, rules, leads }: Looked): void {
    const [first] = pods;
    if (first === undefined) return;
    if (gang.kind === 'waits') {
      this.say(pods, gang.note);
      return;
    }
    const { workload: spec } = gang;
    if (this.ended.get(first.pod.metadata.uid) === spec.id) {
      this.say(pods, WORKLOAD_ENDED);
      return;
    }
    const answer = rules.queues.ask(spec.queue, teamOf(first.pod, this.around(first).namespaceLabels));
    if (answer.kind === 'closed') {
      this.say(pods, answer.note);
      return;
    }
    const found = { workload: spec.id, pods: podsOf(gang, pods) };
    this.options.observe({ kind: 'workload-found', ...found, spec, team: answer.team });
    this.told.add(found, leads);
    for (const { uid } of Object.values(found.pods).flat()) this.waiting.remove(uid);
  }

  private say(pods: readonly WaitingPod[], note: PodNote): void {
    const others = pods.filter((pod) => !isDeepStrictEqual(pod.note, note));
    for (const pod of others) pod.note = note;
    if (others.length > 0)
      this.options.note(
        others.map(({ pod }) => foundPodOf(pod)),
        note,
      );
  }
}

function hasEnded({ state }: SeenFoundPod): boolean {
  return state === 'succeeded' || state === 'failed';
}

/** Whoever comes later to the gang need not wait for others; a pod that came late itself does not stand for it. */
function gangLedBy(membership: PodMembership, podCount: number): string | undefined {
  if (membership.kind === 'alone') return undefined;
  return podCount >= (neededOf(membership) ?? 2) ? membership.key : undefined;
}

function podsOf(gang: Complete, waiting: readonly WaitingPod[]): FoundWorkload['pods'] {
  const byName = new Map(waiting.map(({ pod }) => [pod.metadata.name, foundPodOf(pod)]));
  const sets = Object.entries(gang.pods).map(([name, pods]) => [name, pods.flatMap((pod) => byName.get(pod) ?? [])]);
  return Object.fromEntries(sets) as FoundWorkload['pods'];
}

function foundPodOf({ metadata: { namespace, name, uid } }: PodObject): FoundPod {
  return { namespace, name, uid };
}

function wasDeleted({ namespace, name }: Pick<FoundPod, 'namespace' | 'name'>): string {
  return `pod ${namespace}/${name} was deleted`;
}

/** What decides of a view, beside what was found. */
function rulesOf({ flavors, queues, teams }: LedgerView): object {
  return { flavors, queues, teams };
}
