/**
 * Quantities as Kubernetes writes them, read into the integers that accounting uses. A quantity finer than the unit is
 * rounded up, as Kubernetes does: nothing that was asked for is lost.
 */
const QUANTITY = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

const FACTOR: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

export type Quantity = string | number;

export function isQuantity(value: Quantity): boolean {
  return QUANTITY.test(String(value));
}

/** CPU cores to milli-CPU: `0.5` and `500m` are 500. Throws on what `isQuantity` refuses. */
export function cpuMilliOf(quantity: Quantity): number {
  return Math.ceil(Number((amountOf(quantity) * 1000).toFixed(6)));
}

/** Bytes to MiB: `1Gi` is 1,024. Throws on what `isQuantity` refuses. */
export function memoryMibOf(quantity: Quantity): number {
  return Math.ceil(amountOf(quantity) / 2 ** 20);
}

function amountOf(quantity: Quantity): number {
  const match = QUANTITY.exec(String(quantity));
  const factor = FACTOR[match?.[2] ?? ''];
  if (match === null || factor === undefined) throw new RangeError(`${quantity} is no quantity`);
  return Number(match[1]) * factor;
}
