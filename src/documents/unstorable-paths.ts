type Path = readonly (string | number)[];

/** Where a JSON value has texts, or names of fields, with a NUL or half a surrogate pair in them. */
export function unstorablePaths(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value === 'string') return isUnstorable(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  const parts: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  return parts.flatMap(([name, part]) => {
    if (isUnstorable(String(name))) return [path];
    return unstorablePaths(part, [...path, name]);
  });
}

function isUnstorable(text: string): boolean {
  return text.includes('\0') || /\p{Surrogate}/u.test(text);
}
