/**
 * Which checkpoints of a shared folder count.
 *
 * Each incarnation begins with a marker that names the checkpoint it inherits. Whatever an older incarnation writes
 * later is not in the line of the newer one, and so is ignored and removed: two writers cannot mix, even while nobody
 * can tell them apart from outside.
 */
export interface Marker {
  readonly incarnation: number;
  /** Undefined where it began from nothing. */
  readonly inherits: string | undefined;
}

export interface CheckpointName {
  readonly incarnation: number;
  readonly step: number;
}

export function checkpointName({ incarnation, step }: CheckpointName): string {
  return `${incarnation}-${step}`;
}

export function parseCheckpointName(name: string): CheckpointName | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(name);
  return match === null ? undefined : { incarnation: Number(match[1]), step: Number(match[2]) };
}

/**
 * The names in the line of an incarnation: its own, then up to what it inherits, and so on; newest first. Only the
 * markers of the line are asked for: one that does not count may be damaged.
 */
export function lineOf(
  incarnation: number,
  markerOf: (incarnation: number) => Marker | undefined,
  names: readonly string[],
): readonly string[] {
  const line: string[] = [];
  const visited = new Set<number>();
  let [current, stepMax]: [number, number] = [incarnation, Infinity];
  while (!visited.has(current)) {
    visited.add(current);
    line.push(...namesOf(current, stepMax, names));
    const inherits = markerOf(current)?.inherits;
    const inherited = inherits === undefined ? undefined : parseCheckpointName(inherits);
    if (inherited === undefined) break;
    [current, stepMax] = [inherited.incarnation, inherited.step];
  }
  return line;
}

function namesOf(incarnation: number, stepMax: number, names: readonly string[]): readonly string[] {
  return names
    .flatMap((name) => {
      const parsed = parseCheckpointName(name);
      return parsed?.incarnation === incarnation && parsed.step <= stepMax ? [{ name, step: parsed.step }] : [];
    })
    .sort((a, b) => b.step - a.step)
    .map(({ name }) => name);
}
