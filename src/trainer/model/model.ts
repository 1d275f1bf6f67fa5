import type { Backend, LossKind, Parameter, Tensor } from '../backend/backend.js';

/** What a model is given and asked for, whatever is between. */
export interface ModelShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly loss: LossKind;
}

/** A network as data: its first weights, and the function from inputs to outputs. */
export interface Model {
  readonly parameters: readonly Parameter[];
  /** One line a layer, for people. */
  readonly layers: readonly string[];
  /** `trainingStep` turns on what only happens in training (dropout), drawn anew for each step. */
  readonly outputs: (pass: ForwardPass) => Tensor;
  readonly loss: LossKind;
  readonly l2: number;
}

export interface ForwardPass {
  readonly backend: Backend;
  /** In the order of `parameters`. */
  readonly weights: readonly Tensor[];
  readonly inputs: Tensor;
  readonly trainingStep?: number;
}

export function parameterCount(model: Model): number {
  return model.parameters.reduce((sum, { values }) => sum + values.length, 0);
}
