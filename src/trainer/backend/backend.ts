/**
 * The port to the tensor library: the few operations that training needs, and weights that learn.
 *
 * A second backend implements the same interface over the same kernel names; nothing outside this folder knows which
 * one runs, and nothing outside it imports the library.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Activation } from '../job.schema.js';

export type { Tensor } from '@tensorflow/tfjs-core';

export interface BackendInfo {
  readonly name: 'wasm';
  /** Of the library. */
  readonly version: string;
}

/** `binary`: one logit a row; `category`: one logit a class; `number`: the value itself. Labels are one float a row. */
export type LossKind = 'binary' | 'category' | 'number';

export interface Operations {
  /** x·weights + bias. */
  readonly dense: (x: Tensor, weights: Tensor, bias: Tensor) => Tensor;
  readonly activate: (x: Tensor, activation: Activation) => Tensor;
  /** Multiplies by a mask that the caller drew, so that dropout can be repeated. */
  readonly mask: (x: Tensor, mask: Tensor) => Tensor;
  /** Mean over the rows: cross-entropy of the logits, or the squared error. */
  readonly loss: (outputs: Tensor, labels: Tensor, kind: LossKind) => Tensor;
}

/** Running sums over rows, kept where the tensors are, so that no step waits for a number. */
export interface Tally {
  add(outputs: Tensor, labels: Tensor, kind: LossKind): void;
  /** Waits for the device. `hits` counts right answers, or for numbers sums absolute errors. */
  read(): TallySums;
  set(sums: TallySums): void;
}

export interface TallySums {
  readonly rows: number;
  readonly loss: number;
  readonly hits: number;
}

export const NO_ROWS: TallySums = { rows: 0, loss: 0, hits: 0 };

/** A named array of a checkpoint. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Parameter extends NamedArray {
  /** Weights are decayed and penalised, biases are not. */
  readonly role: 'weights' | 'bias';
}

/** How gradients become updates: Adam with Keras' epsilon, optionally clipped, penalised and decayed. */
export interface UpdateRule {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled, as in AdamW. */
  readonly weightDecay: number;
  /** Gradient of `l2 · Σ w²` is added before clipping. */
  readonly l2: number;
  readonly clipNorm: number | undefined;
}

/** Weights with their optimiser state, updated in place. */
export interface Trainable {
  /** One update against the gradient of `loss`, a scalar. */
  step(loss: (weights: readonly Tensor[]) => Tensor, learningRate: number): void;
  predict(outputs: (weights: readonly Tensor[]) => Tensor): Float32Array;
  /** Copies, in a fixed order: each parameter as `name`, `name/m`, `name/v`. */
  save(): readonly NamedArray[];
  /** `updates` is the number of steps already taken: Adam's bias correction depends on it. */
  restore(arrays: readonly NamedArray[], updates: number): void;
  dispose(): void;
}

export interface Backend {
  readonly info: BackendInfo;
  readonly operations: Operations;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  createTrainable(parameters: readonly Parameter[], rule: UpdateRule): Trainable;
  createTally(): Tally;
  /** Live tensors; constant between the steps of a training that leaks nothing. */
  tensorCount(): number;
  /** Frees every tensor made inside. */
  scoped<T>(work: () => T): T;
}
