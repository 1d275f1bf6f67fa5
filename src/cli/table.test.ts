import { describe, expect, it } from '@jest/globals';
import { Table, formatFields, indent, type Column } from './table.js';

const COLUMNS: readonly Column<readonly string[]>[] = [
  { title: 'NAME', of: ([name = '']) => name },
  { title: 'STATE', of: ([, state = '']) => state },
];

describe(Table.name, () => {
  it('aligns all rows below the heading, without blanks at the ends of lines', () => {
    const items = [
      ['a-long-name', 'ok'],
      ['b', 'pending'],
    ];
    expect(new Table(COLUMNS, items).text(items)).toBe(
      'NAME          STATE\n' + 'a-long-name   ok\n' + 'b             pending\n',
    );
  });

  it('keeps its widths for rows that come later, and cuts nothing', () => {
    const table = new Table(COLUMNS, [['b', 'ok']]);
    expect(table.row(['longer', 'ok'])).toBe('longer   ok');
    expect(table.row(['c', 'ok'])).toBe('c      ok');
  });
});

describe(formatFields.name, () => {
  it('puts the values below each other and leaves out what has none', () => {
    expect(formatFields({ Name: 'a', 'Longer name': 'b', Missing: undefined })).toBe(
      'Name:          a\nLonger name:   b\n',
    );
  });
});

describe(indent.name, () => {
  it('moves every line in that has something on it', () => {
    expect(indent('a\n\nb\n')).toBe('  a\n\n  b\n');
  });
});
