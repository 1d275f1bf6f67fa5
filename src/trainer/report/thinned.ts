/** At most so many of a list, spread evenly over it; the first and the last are among them. */
export function thinned<Item>(items: readonly Item[], countMax: number): readonly Item[] {
  if (items.length <= countMax) return items;
  const stride = (items.length - 1) / (countMax - 1);
  const kept = new Set(Array.from({ length: countMax }, (_, index) => Math.round(index * stride)));
  return items.filter((_, index) => kept.has(index));
}
