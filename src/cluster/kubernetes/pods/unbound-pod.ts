import type { KubeCondition, KubePod } from '../kube-types.js';

/** A pod that nobody has bound, as the watch has it. */
export interface UnboundPod {
  readonly resourceVersion: string;
  /** Its condition `PodScheduled`. */
  readonly scheduled: KubeCondition | undefined;
}

export const SCHEDULED_CONDITION = 'PodScheduled';

/** Absent: it is bound, has ended or is being deleted. */
export function unboundPodOf({ metadata, spec = {}, status = {} }: KubePod): UnboundPod | undefined {
  const { resourceVersion, deletionTimestamp } = metadata;
  const { phase = 'Pending', conditions = [] } = status;
  const waits = (spec.nodeName ?? '') === '' && deletionTimestamp === undefined && phase === 'Pending';
  if (!waits || resourceVersion === undefined) return undefined;
  return { resourceVersion, scheduled: conditions.find(({ type }) => type === SCHEDULED_CONDITION) };
}
