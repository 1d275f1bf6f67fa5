import type { ScenarioFailure } from './run-scenario.js';

/** `at 10 s: running: expected [home], but it is [guest]` */
export function formatFailure({ atSeconds, what, ...values }: ScenarioFailure): string {
  const comparison =
    'expected' in values ? `: expected ${show(values.expected)}, but it is ${show(values.actual)}` : '';
  return `at ${atSeconds} s: ${what}${comparison}`;
}

/** As the file would have it. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([key, part]) => `${key}: ${show(part)}`);
  return `{${fields.join(', ')}}`;
}
