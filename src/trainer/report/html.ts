/** Markup whose texts are escaped already. */
export interface Html {
  readonly markup: string;
}

type Part = Html | string | number | readonly Html[];

/** A template in which every value is escaped, except markup made by this function. */
export function html(texts: TemplateStringsArray, ...values: readonly Part[]): Html {
  const markup = texts.reduce((sum, text, index) => {
    const value = values[index];
    return sum + text + (value === undefined ? '' : render(value));
  }, '');
  return { markup };
}

/** For markup of a program that escapes by itself. */
export function trusted(markup: string): Html {
  return { markup };
}

function render(value: Part): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escape(value);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
