import { createHash } from 'node:crypto';
import type { FoundPod } from '../../cluster.js';
import type { ApiServer, CallOptions } from '../api/api-server.js';
import type { PodNote } from './pod-note.js';
import { MANAGER } from '../pods/pod-labels.js';
import { resourcePath } from '../api/resource-path.js';
import { EVENTS, PODS } from '../api/resources.js';
import { SCHEDULED_CONDITION, type UnboundPod } from '../pods/unbound-pod.js';

/** What `kubectl describe pod` prints on one line below Events. */
export interface PodEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'FailedScheduling' | 'Scheduled' | 'Waiting';
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** Of an event, in its newer version; no sentence for people is longer. */
const MESSAGE_CHARACTERS_MAX = 1024;
/** A name has 253, and ours ends with a hash of 16. */
const POD_NAME_CHARACTERS_MAX = 230;

export function says({ scheduled }: UnboundPod, { reason, message }: PodNote): boolean {
  return scheduled?.status === 'False' && scheduled.reason === reason && scheduled.message === shortened(message);
}

/**
 * `Warning`: it cannot be placed as things are. To wait for one's quota or one's turn is nothing to be warned of.
 */
export function waitEventOf({ reason, message }: PodNote, atMs: number): PodEvent {
  const isInOrder = reason === 'Held' || reason.startsWith('Waiting');
  return isInOrder
    ? { type: 'Normal', reason: 'Waiting', message, atMs }
    : { type: 'Warning', reason: 'FailedScheduling', message, atMs };
}

/** Writes conditions and events of pods. */
export class PodNoteWriter {
  constructor(private readonly api: Pick<ApiServer, 'patch'>) {}

  /**
   * Only on the pod as it was seen: one that has been bound since has another version, so that the server refuses (409),
   * and its `PodScheduled=True` stands.
   */
  async writeCondition(
    { namespace, name, uid }: FoundPod,
    { resourceVersion, scheduled }: UnboundPod,
    { note, atMs, call }: { readonly note: PodNote; readonly atMs: number; readonly call: CallOptions },
  ): Promise<void> {
    const condition = {
      type: SCHEDULED_CONDITION,
      status: 'False',
      reason: note.reason,
      message: shortened(note.message),
      // The other ones of the list are left alone, and so is the time of a status that stays.
      ...(scheduled?.status === 'False' ? {} : { lastTransitionTime: timeOf(atMs) }),
    };
    const body = { metadata: { uid, resourceVersion }, status: { conditions: [condition] } };
    const path = resourcePath(PODS, { namespace, name, subresource: 'status' });
    await this.api.patch(path, { type: 'strategic', body }, call);
  }

  /** A pod has one event of each reason, so that the newest message stands alone however often it changes. */
  async writeEvent({ namespace, name, uid }: FoundPod, event: PodEvent, call: CallOptions): Promise<void> {
    const { type, reason, atMs } = event;
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: eventNameOf(name, `${uid}/${reason}`) },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type,
      reason,
      message: shortened(event.message),
      action: reason === 'Scheduled' ? 'Binding' : 'Scheduling',
      source: { component: MANAGER },
      reportingComponent: MANAGER,
      reportingInstance: MANAGER,
      firstTimestamp: timeOf(atMs),
      lastTimestamp: timeOf(atMs),
      count: 1,
    };
    const path = resourcePath(EVENTS, { namespace, name: body.metadata.name });
    await this.api.patch(path, { type: 'apply', body, conflicts: 'take' }, call);
  }
}

function eventNameOf(podName: string, about: string): string {
  const hash = createHash('sha256').update(about).digest('hex').slice(0, 16);
  return `${podName.slice(0, POD_NAME_CHARACTERS_MAX).replace(/[-.]+$/, '')}.${hash}`;
}

function shortened(message: string): string {
  return message.length <= MESSAGE_CHARACTERS_MAX ? message : `${message.slice(0, MESSAGE_CHARACTERS_MAX - 1)}…`;
}

/** Kubernetes counts in seconds. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
