/** Thousandths as people write them: 1,500 is `1.5`. */
export function formatMilli(milli: number): string {
  return String(milli / 1000);
}

export function formatMib(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024}Gi` : `${mib}Mi`;
}

/** `key=value,key=value`, in code-unit order; `-` for none. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return orDash(pairs.sort().join(','));
}

export function orDash(text: string): string {
  return text === '' ? '-' : text;
}
