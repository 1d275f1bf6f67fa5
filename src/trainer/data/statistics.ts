/** Of the values that are not NaN, in order; undefined where there are none. */
export interface Statistics {
  readonly mean: number;
  /** Of the population: divided by the count. */
  readonly deviation: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly firstQuartile: number;
  readonly median: number;
  readonly thirdQuartile: number;
}

export function statisticsOf(values: Float64Array): Statistics | undefined {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const [minimum, maximum] = [sorted[0], sorted.at(-1)];
  if (minimum === undefined || maximum === undefined) return undefined;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    // The mean of equal values is rounded, and would make a deviation out of nothing that others then divide by.
    deviation: minimum === maximum ? 0 : Math.sqrt(squares / sorted.length),
    minimum,
    maximum,
    firstQuartile: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    thirdQuartile: quantile(sorted, 0.75),
  };
}

/** Linear between the two nearest values: type 7 of Hyndman and Fan 1996, as NumPy and R do by default. */
function quantile(sorted: Float64Array, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
