import { InvalidArgumentError, Option } from 'commander';
import { stringify } from 'yaml';
import { Table, type Column } from './table.js';

export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** How one kind of resource is shown. */
export interface Presentation<T> {
  readonly columns: readonly Column<T>[];
  /** With its kind, as programs want it: `workload/research/adult`. */
  readonly name: (item: T) => string;
  /** What tells one item from another, in a watch. */
  readonly key: (item: T) => string;
  /** Said on standard error instead of an empty table. */
  readonly none: string;
}

export function outputOption(...formats: readonly OutputFormat[]): Option {
  return new Option('-o, --output <format>', 'how to print it').choices(formats).default('table');
}

export function parseWholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** A list as the person or the program wants it. */
export function printList<T>(items: readonly T[], format: OutputFormat, presentation: Presentation<T>): void {
  switch (format) {
    case 'json':
      write(`${JSON.stringify({ items }, undefined, 2)}\n`);
      break;
    case 'yaml':
      write(stringify({ items }, YAML));
      break;
    case 'name':
      write(items.map((item) => `${presentation.name(item)}\n`).join(''));
      break;
    case 'table':
    case 'wide':
      printTable(items, format, presentation);
      break;
  }
}

/** One thing that was asked for by its name: a document of its own, not a list of one. */
export function printOne<T>(item: T, format: OutputFormat, presentation: Presentation<T>): void {
  if (format === 'json') write(`${JSON.stringify(item, undefined, 2)}\n`);
  else if (format === 'yaml') write(stringify(item, YAML));
  else printList([item], format, presentation);
}

/** Prints items one after the other as they change: lines of JSON, documents of YAML, rows of one table. */
export class ChangePrinter<T> {
  private table: Table<T> | undefined;

  constructor(
    private readonly format: OutputFormat,
    private readonly presentation: Presentation<T>,
  ) {}

  print(items: readonly T[]): void {
    if (items.length === 0) return;
    switch (this.format) {
      case 'json':
        write(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
        break;
      case 'yaml':
        write(items.map((item) => `---\n${stringify(item, YAML)}`).join(''));
        break;
      case 'name':
        write(items.map((item) => `${this.presentation.name(item)}\n`).join(''));
        break;
      case 'table':
      case 'wide': {
        const { columns } = this.presentation;
        const heading = this.table === undefined;
        const table = (this.table ??= new Table(shownIn(this.format, columns), items));
        write(`${[...(heading ? [table.heading()] : []), ...items.map((item) => table.row(item))].join('\n')}\n`);
      }
    }
  }
}

export function write(text: string): void {
  process.stdout.write(text);
}

/** What a person reads and a pipe must not carry. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** No anchors, and no line is folded: other tools read it line by line. */
const YAML = { lineWidth: 0, aliasDuplicateObjects: false } as const;

function printTable<T>(items: readonly T[], format: 'table' | 'wide', { columns, none }: Presentation<T>): void {
  if (items.length === 0) {
    remark(none);
    return;
  }
  write(new Table(shownIn(format, columns), items).text(items));
}

function shownIn<T>(format: 'table' | 'wide', columns: readonly Column<T>[]): readonly Column<T>[] {
  return columns.filter(({ wide }) => format === 'wide' || wide === undefined);
}
