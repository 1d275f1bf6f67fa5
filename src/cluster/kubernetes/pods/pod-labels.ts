import type { PodRef, SlotShare } from '../../../core/index.js';
import type { KubePod } from '../kube-types.js';

/** By these Berth knows its own pods, also after a restart. */
export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  workload: 'berth.dev/workload',
  workloadName: 'berth.dev/workload-name',
  incarnation: 'berth.dev/incarnation',
  podSet: 'berth.dev/pod-set',
  index: 'berth.dev/index',
  rank: 'berth.dev/rank',
} as const;

export const ANNOTATION = {
  /** `trainer` or `command`. */
  program: 'berth.dev/program',
  /** The slots that the ledger counts for it, e.g. `0,1`. */
  slots: 'berth.dev/slots',
  /** The term of office in which it was created, or bound. */
  epoch: 'berth.dev/epoch',
  /** Of a found pod, by its binding: which pod of which workload it is. */
  placed: 'berth.dev/placed',
} as const;

export const MANAGER = 'berth';
/** Named in `spec.schedulerName`, so that no other scheduler binds its pods. */
export const SCHEDULER_NAME = 'berth';

/** Which pod of Berth's it is; absent: Berth has not created it. */
export function podRefOf({ metadata: { labels = {} } }: KubePod): PodRef | undefined {
  const { [LABEL.workload]: workload = '', [LABEL.podSet]: podSet = '' } = labels;
  const incarnation = numberOf(labels[LABEL.incarnation]);
  const index = numberOf(labels[LABEL.index]);
  if (labels[LABEL.managedBy] !== MANAGER || workload === '' || podSet === '') return undefined;
  if (incarnation === undefined || index === undefined) return undefined;
  return { workload, incarnation, podSet, index };
}

/** The name of its order. */
export function orderNameOf({ workload, incarnation, podSet, index }: PodRef): string {
  return `${workload}-${incarnation}-${podSet}-${index}`;
}

export function slotsOf({ metadata: { annotations = {} } }: KubePod): readonly number[] {
  return (annotations[ANNOTATION.slots] ?? '').split(',').flatMap((slot) => numberOf(slot) ?? []);
}

export function slotList(slots: readonly SlotShare[]): string {
  return slots.map(({ slot }) => slot).join(',');
}

export function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
