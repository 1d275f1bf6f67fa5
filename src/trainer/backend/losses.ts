import { sigmoid } from './activations.js';
import type { LossKind } from './backend.js';

/** A batch of outputs, `width` a row, with one label a row. */
export interface LossBatch {
  readonly outputs: Float32Array;
  readonly labels: Float32Array;
  readonly width: number;
  /** What the gradient is multiplied with: the incoming gradient by the number of rows. */
  readonly scale: number;
}

export interface Loss {
  /** Sums over the rows of the loss, and of hits (right answers; absolute errors where the target is a number). */
  readonly sum: (outputs: Float32Array, labels: Float32Array, width: number) => { loss: number; hits: number };
  readonly gradient: (batch: LossBatch, into: Float32Array) => void;
}

/** In double precision over whole rows, also used on the host to score predictions. */
export const LOSSES: Readonly<Record<LossKind, Loss>> = {
  binary: { sum: sumBinary, gradient: binaryGradient },
  category: { sum: sumCategory, gradient: categoryGradient },
  number: { sum: sumNumber, gradient: numberGradient },
};

export function lossKindOf(value: unknown): LossKind {
  if (value === 'binary' || value === 'category' || value === 'number') return value;
  throw new Error(`no loss for ${String(value)}`);
}

/** Index of the largest of `width` outputs of a row; the first of equals. */
export function largestAt(outputs: Float32Array, row: number, width: number): number {
  let best = 0;
  for (let column = 1; column < width; column += 1) {
    if ((outputs[row * width + column] ?? 0) > (outputs[row * width + best] ?? 0)) best = column;
  }
  return best;
}

/** log Σ exp of a row, without overflow. */
export function logSumExp(outputs: Float32Array, row: number, width: number): number {
  const peak = outputs[row * width + largestAt(outputs, row, width)] ?? 0;
  let sum = 0;
  for (let column = 0; column < width; column += 1) sum += Math.exp((outputs[row * width + column] ?? 0) - peak);
  return peak + Math.log(sum);
}

/** -y·ln σ(z) - (1 - y)·ln(1 - σ(z)), in the form that neither overflows nor loses small values. */
function sumBinary(outputs: Float32Array, labels: Float32Array): { loss: number; hits: number } {
  let [loss, hits] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const [z, y] = [outputs[row] ?? 0, labels[row] ?? 0];
    loss += Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z)));
    if (z >= 0 === y > 0.5) hits += 1;
  }
  return { loss, hits };
}

function binaryGradient({ outputs, labels, scale }: LossBatch, into: Float32Array): void {
  for (let row = 0; row < into.length; row += 1) into[row] = (sigmoid(outputs[row] ?? 0) - (labels[row] ?? 0)) * scale;
}

function sumCategory(outputs: Float32Array, labels: Float32Array, width: number): { loss: number; hits: number } {
  let [loss, hits] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const label = labels[row] ?? 0;
    loss += logSumExp(outputs, row, width) - (outputs[row * width + label] ?? 0);
    if (largestAt(outputs, row, width) === label) hits += 1;
  }
  return { loss, hits };
}

function categoryGradient({ outputs, labels, width, scale }: LossBatch, into: Float32Array): void {
  for (let row = 0; row < labels.length; row += 1) {
    const total = logSumExp(outputs, row, width);
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      into[at] = (Math.exp((outputs[at] ?? 0) - total) - (labels[row] === column ? 1 : 0)) * scale;
    }
  }
}

function sumNumber(outputs: Float32Array, labels: Float32Array): { loss: number; hits: number } {
  let [loss, hits] = [0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const error = (outputs[row] ?? 0) - (labels[row] ?? 0);
    loss += error * error;
    hits += Math.abs(error);
  }
  return { loss, hits };
}

function numberGradient({ outputs, labels, scale }: LossBatch, into: Float32Array): void {
  for (let row = 0; row < into.length; row += 1) {
    into[row] = 2 * ((outputs[row] ?? 0) - (labels[row] ?? 0)) * scale;
  }
}
