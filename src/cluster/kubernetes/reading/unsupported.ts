/** A field that Berth cannot honour, by its path, and why; with a colon between them a sentence for whoever wrote it. */
export interface Unsupported {
  readonly field: string;
  readonly why: string;
  /** In a word, for the pod; absent: `NotSupported`. */
  readonly reason?: RefusalReason;
}

/** `Unschedulable`: new nodes would help. */
export type RefusalReason = 'Unschedulable' | 'VolumeNotUsable';

/** Tells of a field as it is found. */
export type Refuse = (field: string, why: string, reason?: RefusalReason) => void;

/** For those who look at what is below a field. */
export function below(parent: string, refuse: Refuse): Refuse {
  return (field, why, reason) => {
    refuse(field.startsWith('[') ? `${parent}${field}` : `${parent}.${field}`, why, reason);
  };
}
