/** PostgreSQL refuses NUL and half surrogates in text; programs print the first, and a cut may leave the second. */
export function storableText(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD').replaceAll('\0', '\uFFFD');
}

/** The same for all texts of a JSON value, names of fields among them; nothing else of it changes. */
export function storableJson<T>(value: T): T {
  return mapTexts(value, storableText) as T;
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [map(name), mapTexts(part, map)]));
}
