/**
 * Quantities as Kubernetes writes them, read exactly into the integers that accounting uses. A quantity finer than the
 * unit is rounded up, as Kubernetes does, so that nothing that was asked for is lost; what a node offers is rounded down.
 */
const QUANTITY = /^\+?(\d*)(?:\.(\d*))?(?:([eE][+-]?\d{1,2})|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;
/** More than any amount needs, and little enough to reckon with. */
const LENGTH_MAX = 64;

const FACTOR: ReadonlyMap<string, Ratio> = new Map([
  ['n', { over: 1n, under: 1_000_000_000n }],
  ['u', { over: 1n, under: 1_000_000n }],
  ['m', { over: 1n, under: 1000n }],
  ...['', 'k', 'M', 'G', 'T', 'P', 'E'].map((suffix, power) => [suffix, whole(1000n ** BigInt(power))] as const),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, power) => [suffix, whole(1024n ** BigInt(power + 1))] as const),
]);

/** `over / under`. */
interface Ratio {
  readonly over: bigint;
  readonly under: bigint;
}

export type Quantity = string | number;
export type Rounding = 'up' | 'down';

export function isQuantity(value: Quantity): boolean {
  return ratioOf(value) !== undefined;
}

/** CPU cores to milli-CPU: `0.5` and `500m` are 500. Throws on what `isQuantity` refuses. */
export function cpuMilliOf(quantity: Quantity, rounding: Rounding = 'up'): number {
  return inUnit(quantity, { over: 1n, under: 1000n }, rounding);
}

/** Bytes to MiB: `1Gi` is 1,024. Throws on what `isQuantity` refuses. */
export function memoryMibOf(quantity: Quantity, rounding: Rounding = 'up'): number {
  return inUnit(quantity, whole(2n ** 20n), rounding);
}

/** Whole things, such as pods or devices. Throws on what `isQuantity` refuses. */
export function countOf(quantity: Quantity, rounding: Rounding = 'up'): number {
  return inUnit(quantity, whole(1n), rounding);
}

function inUnit(quantity: Quantity, unit: Ratio, rounding: Rounding): number {
  const ratio = ratioOf(quantity);
  if (ratio === undefined) throw new RangeError(`${quantity} is no quantity`);
  const over = ratio.over * unit.under;
  const under = ratio.under * unit.over;
  return Number((over + (rounding === 'up' ? under - 1n : 0n)) / under);
}

/** Absent for what is no quantity. There are no amounts below zero. */
function ratioOf(quantity: Quantity): Ratio | undefined {
  const text = String(quantity);
  const match = text.length > LENGTH_MAX ? null : QUANTITY.exec(text);
  const [, digits = '', decimals = '', exponent = '', suffix = ''] = match ?? [];
  if (digits + decimals === '') return undefined;
  const factor = exponent === '' ? FACTOR.get(suffix) : powerOfTen(Number(exponent.slice(1)));
  if (factor === undefined) return undefined;
  return { over: BigInt(digits + decimals) * factor.over, under: 10n ** BigInt(decimals.length) * factor.under };
}

function powerOfTen(power: number): Ratio {
  return power < 0 ? { over: 1n, under: 10n ** BigInt(-power) } : whole(10n ** BigInt(power));
}

function whole(over: bigint): Ratio {
  return { over, under: 1n };
}
