/** Code-unit order, the same on every machine: a locale must not decide. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
