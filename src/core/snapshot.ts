/** Records as plain data, fit for JSON; indexes are rebuilt. */
export interface Snapshot {
  readonly seq: number;
}
