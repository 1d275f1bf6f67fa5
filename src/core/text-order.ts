/** Code-unit order, the same on every machine: a locale must not decide. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** By key: equal records have equal lists, however they were written. */
export function sortedEntries(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record).sort(([a], [b]) => compareText(a, b));
}
