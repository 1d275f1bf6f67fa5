import { count } from './format.js';

/** The matrix as aligned lines for a terminal: a line an actual class, a column a predicted one. */
export function confusionLines(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
): readonly string[] {
  const cells = [['', ...classes], ...classes.map((name, index) => [name, ...(confusion[index] ?? []).map(count)])];
  const widths = ['', ...classes].map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => `  ${row.map((text, column) => text.padStart(widths[column] ?? 0)).join('  ')}`);
}
