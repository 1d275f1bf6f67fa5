/** PostgreSQL refuses NUL and half surrogates in text; programs print the first, and a cut may leave the second. */
export function storableText(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD').replaceAll('\0', '\uFFFD');
}
