/** One column: its heading, and what it shows of an item. */
export interface Column<T> {
  readonly title: string;
  readonly of: (item: T) => string;
  /** Shown with `-o wide` only. */
  readonly wide?: true;
}

const GAP = '   ';

/** Aligned lines with a heading, as kubectl prints them; long cells are neither cut nor wrapped. */
export class Table<T> {
  private readonly widths: number[];

  /** The columns are as wide as `items` need; rows that come later may stick out. */
  constructor(
    private readonly columns: readonly Column<T>[],
    items: readonly T[],
  ) {
    this.widths = columns.map(({ title, of }) => Math.max(title.length, ...items.map((item) => of(item).length)));
  }

  heading(): string {
    return this.line(this.columns.map(({ title }) => title));
  }

  row(item: T): string {
    return this.line(this.columns.map(({ of }) => of(item)));
  }

  /** Heading and rows. */
  text(items: readonly T[]): string {
    return [this.heading(), ...items.map((item) => this.row(item))].map((line) => `${line}\n`).join('');
  }

  private line(cells: readonly string[]): string {
    return cells
      .map((cell, index) => cell.padEnd(this.widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  }
}

/** `name: value` lines with the values below each other; those without a value are left out. */
export function formatFields(fields: Readonly<Record<string, string | undefined>>): string {
  const shown = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width + 1)}${GAP}${value}\n`).join('');
}

/** Every line moved in, below its heading. */
export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
