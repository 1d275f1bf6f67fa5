const AMOUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 3 });
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Devices: `1,024`, `0.5`. */
export function formatAmount(amount: number): string {
  return AMOUNT.format(amount);
}

/** Samples a second, where digits behind the point only flicker. */
export function formatRate(rate: number): string {
  return rate < 10 ? AMOUNT.format(Number(rate.toFixed(1))) : WHOLE.format(rate);
}
