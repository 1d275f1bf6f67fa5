import type { TrainingReport } from '../contract.js';
import { count, percent } from './format.js';
import { html, type Html } from './html.js';
import { tableCard } from './table-card.js';

/** A larger matrix is unreadable as a table; its numbers are in `report.json`. */
const CLASSES_MAX = 30;
/** From here on white is easier to read on the blue than black. */
const WHITE_INK_SHARE_MIN = 0.85;

/** Rows by actual and predicted class; the deeper the blue, the larger the share of the actual class. */
export function confusionTable({ classes, confusion }: TrainingReport, scored: string): Html {
  if (classes.length === 0 || classes.length > CLASSES_MAX) return html``;
  const heads = classes.map((name) => html`<th>${name}</th>`);
  const rows = classes.map((name, actual) => {
    const counts = confusion[actual] ?? [];
    const total = counts.reduce((sum, value) => sum + value, 0);
    const cells = classes.map((_, predicted) => cell(counts[predicted] ?? 0, total));
    return html`<tr>
      <th>${name}</th>
      ${cells}
    </tr>`;
  });
  const caption = html`<p class="caption">Percentages are shares of the actual class.</p>`;
  return tableCard(
    `Confusion matrix, ${scored} rows`,
    { heads: [html`<th>actual ↓ predicted →</th>`, ...heads], rows },
    { table: 'confusion', caption },
  );
}

function cell(value: number, total: number): Html {
  const share = total === 0 ? 0 : value / total;
  const ink = share > WHITE_INK_SHARE_MIN ? '#ffffff' : '#0f172a';
  const style = `background: rgba(37, 99, 235, ${(0.06 + 0.86 * share).toFixed(3)}); color: ${ink}`;
  return html`<td style="${style}">${count(value)}<small>${percent(share)}</small></td>`;
}
