/**
 * Decay in whole hours by a fixed-point factor: a fraction of 2^32. `Math.pow` is no part of it, for the language does
 * not fix its last digit, and two machines must agree to the last device-second.
 */

const ONE = 2 ** 32;
const HALF_WORD = 2 ** 16;
/** The search works with so many binary digits, so that what is rounded off does not reach the 32nd. */
const SEARCH_BITS = 96n;

/**
 * What is left of the amount after an hour: floor(amount x factor / 2^32), exact for whole amounts below 2^53. The
 * product has 85 binary digits; it is put together from halves of which each fits.
 */
export function decayed(amount: number, factor: number): number {
  const high = Math.floor(amount / ONE);
  const low = amount % ONE;
  const upper = Math.floor(low / HALF_WORD);
  const lower = low % HALF_WORD;
  return high * factor + Math.floor((upper * factor + Math.floor((lower * factor) / HALF_WORD)) / HALF_WORD);
}

/**
 * The largest factor that, applied in each of so many hours, leaves at most a half; at least one hour. Found bit by
 * bit, each candidate raised to the power of the hours by repeated squaring of integers.
 */
export function hourlyFactor(halfLifeHours: number): number {
  const hours = Math.max(1, halfLifeHours);
  let factor = 0;
  for (let bit = ONE / 2; bit >= 1; bit /= 2) {
    if (isAtMostHalf(factor + bit, hours)) factor += bit;
  }
  return factor;
}

function isAtMostHalf(factor: number, hours: number): boolean {
  let power = 1n << SEARCH_BITS;
  let square = BigInt(factor) << (SEARCH_BITS - 32n);
  for (let left = hours; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = (power * square) >> SEARCH_BITS;
    square = (square * square) >> SEARCH_BITS;
  }
  return power <= 1n << (SEARCH_BITS - 1n);
}
