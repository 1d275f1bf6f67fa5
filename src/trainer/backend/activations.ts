import type { Activation } from '../job.schema.js';

/** A function and its slope, both of the input. */
export interface ActivationFunction {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
}

const LEAK = 0.2; // TensorFlow's default for tf.nn.leaky_relu
const GELU_SCALE = Math.sqrt(2 / Math.PI);
const GELU_CUBE = 0.044715; // Hendrycks and Gimpel 2016, eq. 2

/** Does not overflow for large |x|. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

function geluInner(x: number): number {
  return Math.tanh(GELU_SCALE * (x + GELU_CUBE * x ** 3));
}

export const ACTIVATIONS: Readonly<Record<Activation, ActivationFunction>> = {
  relu: { value: (x) => (x > 0 ? x : 0), slope: (x) => (x > 0 ? 1 : 0) },
  leakyRelu: { value: (x) => (x > 0 ? x : LEAK * x), slope: (x) => (x > 0 ? 1 : LEAK) },
  elu: { value: (x) => (x > 0 ? x : Math.expm1(x)), slope: (x) => (x > 0 ? 1 : Math.exp(x)) },
  gelu: {
    value: (x) => 0.5 * x * (1 + geluInner(x)),
    slope: (x) => {
      const t = geluInner(x);
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_SCALE * (1 + 3 * GELU_CUBE * x * x);
    },
  },
  sigmoid: {
    value: sigmoid,
    slope: (x) => {
      const s = sigmoid(x);
      return s * (1 - s);
    },
  },
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2 },
  swish: {
    value: (x) => x * sigmoid(x),
    slope: (x) => {
      const s = sigmoid(x);
      return s * (1 + x * (1 - s));
    },
  },
};
