/** Who waits for itself, perhaps over others: each cycle as the names on the way round, the first again at the end. */
export function waitingCycles(waitsFor: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: (readonly string[])[] = [];
  const seen = new Map<string, 'on the way' | 'done'>();
  for (const start of waitsFor.keys()) {
    const way: { readonly name: string; readonly next: IterableIterator<string, undefined> }[] = [];
    const go = (name: string): void => {
      seen.set(name, 'on the way');
      way.push({ name, next: (waitsFor.get(name) ?? []).values() });
    };
    if (!seen.has(start)) go(start);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const name = at.next.next().value;
      if (name === undefined) {
        seen.set(at.name, 'done');
        way.pop();
      } else if (seen.get(name) === 'on the way') {
        const names = way.map((one) => one.name);
        cycles.push([...names.slice(names.indexOf(name)), name]);
      } else if (!seen.has(name)) go(name);
    }
  }
  return cycles;
}
