const NUMBERED = /^(.*?)(0|[1-9]\d*)$/;

/** Names of nodes in short, as Slurm writes them: `a-[0-3,7], b`. By name, numbers by their value. */
export function nodeRanges(names: Iterable<string>): string {
  const numbers = new Map<string, number[]>();
  const plain: string[] = [];
  for (const name of new Set(names)) {
    const [, prefix, digits] = NUMBERED.exec(name) ?? [];
    if (prefix === undefined) plain.push(name);
    else numbers.set(prefix, [...(numbers.get(prefix) ?? []), Number(digits)]);
  }
  const numbered = [...numbers].map(([prefix, all]) => {
    const ranges = rangesOf(all.sort((a, b) => a - b));
    return all.length === 1 ? `${prefix}${ranges}` : `${prefix}[${ranges}]`;
  });
  return [...plain, ...numbered].sort().join(', ');
}

function rangesOf(ascending: readonly number[]): string {
  const ranges: { readonly from: number; to: number }[] = [];
  for (const number of ascending) {
    const last = ranges.at(-1);
    if (last?.to === number - 1) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
