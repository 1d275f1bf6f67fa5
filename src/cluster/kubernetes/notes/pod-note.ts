/** What is said on a pod that waits, for whoever looks at it. */
export interface PodNote {
  /** In CamelCase: `Unschedulable` only where new nodes would help, else a word of Berth's own, e.g. `WaitingForGang`. */
  readonly reason: string;
  readonly message: string;
}
