import type { CoreState } from '../core-state.js';
import type { StartPart } from '../start/index.js';
import type { Fallen, VictimTrial } from './victim-trial.js';

/**
 * Gives victims back one by one, the most important first, as long as the pre-emptor still fits: who is left is needed.
 * One pass is enough, for who could not be spared from a larger set cannot be spared from a smaller one. `trial` has
 * fallen just so far that the pre-emptor fits, the last of them is needed.
 */
export function spareVictims(state: CoreState, trial: VictimTrial): readonly Fallen[] {
  const { fallen } = trial;
  let rows = rowsOf(trial.place() ?? []);
  const spared = new Set<number>();
  const needed = new Set<string>();
  for (let index = fallen.length - 1; index >= 0; index--) {
    const unit = fallen[index]?.unit;
    if (unit === undefined) continue;
    const { id } = unit.record.spec;
    // The last one is needed, and so is every part of a gang that falls whole.
    const isNeeded = index === fallen.length - 1 || needed.has(id);
    if (!isNeeded) {
      trial.standUp(index);
      const parts = trial.fitsQuota() ? seatsWithout(state, { trial, rows }, unit.pods) : undefined;
      if (parts !== undefined) {
        spared.add(index);
        if (parts !== 'same') rows = rowsOf(parts);
        continue;
      }
      trial.fallAgain(index);
    }
    if (unit.kind === 'whole') needed.add(id);
  }
  return fallen.filter((_one, index) => !spared.has(index));
}

/** The same seats do when none of them is on a node of the spared one. */
function seatsWithout(
  state: CoreState,
  { trial, rows }: { readonly trial: VictimTrial; readonly rows: ReadonlySet<number> },
  pods: Fallen['unit']['pods'],
): readonly StartPart[] | 'same' | undefined {
  return pods.some(({ seat }) => rows.has(state.fleet.rowOf(seat.node))) ? trial.place() : 'same';
}

function rowsOf(parts: readonly StartPart[]): ReadonlySet<number> {
  return new Set(parts.flatMap(({ pods }) => pods.map(({ row }) => row)));
}
