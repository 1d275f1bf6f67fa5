import { styleText } from 'node:util';
import { nodeRanges } from '../scenario/node-ranges.js';
import type { TimelineRow } from '../scenario/timeline.js';

export interface Screen {
  readonly columns: number;
  readonly colors: 'some' | 'none';
}

/** What is not a terminal gets lines of one length everywhere. */
export const PIPE: Screen = { columns: 110, colors: 'none' };

const TITLES = ['TIME', 'WORKLOAD', 'WHAT', 'WHERE'] as const;
type Cells = readonly [time: string, workload: string, what: string, where: string];
const GAP = 3;
/** Longer names are cut, so that the rest has room. */
const WORKLOAD_MAX = 24;
const WHERE_MIN = 12;
const COLORS = { good: 'green', bad: 'red', quiet: 'gray', plain: 'reset' } as const;

/** One line for each row, as wide as the screen; a time is said once. */
export function formatTimeline(rows: readonly TimelineRow[], { columns, colors }: Screen): string {
  const cells = rows.map((row, index) => cellsOf(row, rows[index - 1]));
  const [time, workload, what] = [0, 1, 2].map((at) =>
    Math.max(...[TITLES, ...cells].map((line) => line[at]?.length ?? 0)),
  );
  const widths = widthsIn(columns, [time ?? 0, workload ?? 0, what ?? 0]);
  const lineOf = (line: Cells): string =>
    line
      .map((cell, at) => cut(cell, widths[at] ?? 0).padEnd((widths[at] ?? 0) + (at < 3 ? GAP : 0)))
      .join('')
      .trimEnd();
  const lines = cells.map((line, index) => {
    const color = COLORS[rows[index]?.tone ?? 'plain'];
    return colors === 'none' || color === 'reset'
      ? lineOf(line)
      : styleText(color, lineOf(line), { validateStream: false });
  });
  return [lineOf(TITLES), ...lines].map((line) => `${line}\n`).join('');
}

/** WHERE gets what the others leave, and at least a little. */
function widthsIn(columns: number, [time, workload, what]: readonly [number, number, number]): readonly number[] {
  const names = Math.min(workload, WORKLOAD_MAX);
  const room = columns - time - names - 3 * GAP;
  const words = Math.min(what, Math.max(room - WHERE_MIN, WHERE_MIN));
  return [time, names, words, Math.max(room - words, 0)];
}

function cellsOf({ atMs, workloads, what, nodes }: TimelineRow, before: TimelineRow | undefined): Cells {
  const time = before?.atMs === atMs ? '' : `${atMs / 1000}s`;
  return [time, workloads.join(', '), what, nodeRanges(nodes)];
}

function cut(cell: string, width: number): string {
  return cell.length <= width ? cell : `${cell.slice(0, Math.max(0, width - 1))}…`;
}
