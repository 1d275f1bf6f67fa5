/** Numbers and names as people read them; English, whatever the machine's language. */

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return COUNT.format(value);
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`;
}

const TITLES: Readonly<Record<string, string>> = {
  f1: 'F1',
  rocAuc: 'ROC AUC',
  mae: 'Mean absolute error',
  mse: 'Mean squared error',
  r2: 'R²',
};

export function metricTitle(name: string): string {
  return TITLES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

/** Errors in the units of the data have no natural number of digits after the point. */
export function score(name: string, value: number): string {
  return name === 'mae' || name === 'mse' ? String(Number(value.toPrecision(6))) : value.toFixed(4);
}
