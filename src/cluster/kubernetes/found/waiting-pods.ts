import { isDeepStrictEqual } from 'node:util';
import type { Topic } from './found-surroundings.js';
import type { GangMember } from './gang-of.js';
import type { PodMembership } from './pod-membership.js';
import type { PodNote } from '../notes/pod-note.js';
import type { PodObject } from '../reading/pod-object.js';
import type { PodReading } from '../reading/pod-set-of.js';
import { claimsOf } from '../reading/pod-volumes.js';

export interface WaitingPodsOptions {
  readonly membershipOf: (pod: PodObject) => PodMembership;
  readonly read: (pod: PodObject) => PodReading;
  /** The gang is to be looked at. */
  readonly changed: (gang: string) => void;
}

/** A pod that waits and is part of no workload yet. It is read when it is asked for that, and then no more. */
export class WaitingPod implements GangMember {
  /** What was said on it last. */
  note: PodNote | undefined;
  private known: PodReading | undefined;

  constructor(
    readonly pod: PodObject,
    readonly membership: PodMembership,
    private readonly read: (pod: PodObject) => PodReading,
  ) {}

  get reading(): PodReading {
    this.known ??= this.read(this.pod);
    return this.known;
  }

  forget(): void {
    this.known = undefined;
  }
}

/** Pods that wait, by their gang and by what they depend on, so that a change costs only those whom it concerns. */
export class WaitingPods {
  private readonly byUid = new Map<string, WaitingPod>();
  /** Uids by the key of their gang, and by topic. */
  private readonly concerned = new Map<string, Set<string>>();

  constructor(private readonly options: WaitingPodsOptions) {}

  put(pod: PodObject): void {
    const before = this.byUid.get(pod.metadata.uid);
    if (before !== undefined && isDeepStrictEqual(before.pod, pod)) return;
    this.enter(pod, before?.note);
  }

  remove(uid: string): void {
    const pod = this.byUid.get(uid);
    if (pod === undefined) return;
    this.byUid.delete(uid);
    for (const topic of topicsOf(pod)) {
      const uids = this.concerned.get(topic);
      uids?.delete(uid);
      if (uids?.size === 0) this.concerned.delete(topic);
    }
    if (this.concerned.has(pod.membership.key)) this.options.changed(pod.membership.key);
  }

  ofGang(key: string): readonly WaitingPod[] {
    return this.of(key).filter(({ membership }) => membership.key === key);
  }

  /** They are read anew, and may be of another gang. */
  concern(topic: Topic): void {
    for (const { pod, note } of this.of(topic)) this.enter(pod, note);
  }

  /** All are read anew. */
  concernAll(): void {
    for (const pod of this.byUid.values()) {
      pod.forget();
      this.options.changed(pod.membership.key);
    }
  }

  private enter(pod: PodObject, note: PodNote | undefined): void {
    const { uid } = pod.metadata;
    this.remove(uid);
    const now = new WaitingPod(pod, this.options.membershipOf(pod), this.options.read);
    now.note = note;
    this.byUid.set(uid, now);
    for (const topic of topicsOf(now)) {
      const uids = this.concerned.get(topic) ?? new Set();
      this.concerned.set(topic, uids.add(uid));
    }
    this.options.changed(now.membership.key);
  }

  private of(topic: string): readonly WaitingPod[] {
    return [...(this.concerned.get(topic) ?? [])].flatMap((uid) => this.byUid.get(uid) ?? []);
  }
}

function topicsOf({ pod, membership }: WaitingPod): readonly string[] {
  const { namespace } = pod.metadata;
  const group = pod.spec.schedulingGroup?.podGroupName;
  const topics: readonly Topic[] = [
    `namespace ${namespace}`,
    ...(group === undefined ? [] : [`group ${namespace}/${group}` as const]),
    ...claimsOf(pod).map((name) => `claim ${namespace}/${name}` as const),
  ];
  return [membership.key, ...topics];
}
