import { EXIT } from '../contract.js';
import { TrainerError } from '../trainer-error.js';
import type { Backend, Parameter } from './backend.js';

/**
 * A two-layer network with four weights, worked out by hand: x = [1, 2], hidden = relu(x·[[0.5], [0.25]] + 0) = 1,
 * logit = 2·1 - 1 = 1, label 0. The loss is ln(1 + e) = 1.3132617, and with s = σ(1) = 0.7310586 the gradients are
 * s, s (second layer: weight and bias) and 2s, 4s, 2s (first layer: weights and bias).
 */
const LOSS = 1.3132617;
const SLOPE = 0.7310586;
const GRADIENTS: Readonly<Record<string, readonly number[]>> = {
  'hidden/weights': [2 * SLOPE, 4 * SLOPE],
  'hidden/bias': [2 * SLOPE],
  'output/weights': [SLOPE],
  'output/bias': [SLOPE],
};
const LEARNING_RATE = 0.001;
const TOLERANCE = 1e-5;

/**
 * Proves at start that this machine computes right: a loss, its gradients, and that the second step sees the weights
 * of the first (a backend that caches them trains on, wrongly, without an error).
 */
export function selfTest(backend: Backend): void {
  const rule = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0, l2: 0, clipNorm: undefined };
  const trainable = backend.createTrainable(testParameters(), rule);
  backend.scoped(() => {
    const x = backend.tensor(Float32Array.of(1, 2), [1, 2]);
    const label = backend.tensor(Float32Array.of(0), [1]);
    const { dense, activate, loss } = backend.operations;
    const lossOf = ([w1, b1, w2, b2]: Parameters<Parameters<typeof trainable.step>[0]>[0]) => {
      if (w1 === undefined || b1 === undefined || w2 === undefined || b2 === undefined) throw new Error('four weights');
      return loss(dense(activate(dense(x, w1, b1), 'relu'), w2, b2), label, 'binary');
    };
    expectClose('loss', trainable.predict(lossOf), [LOSS]);
    trainable.step(lossOf, LEARNING_RATE);
    for (const { name, values } of trainable.save()) {
      // Adam's first moment after one step is (1 - beta1) times the gradient.
      const wanted = name.endsWith('/m') ? GRADIENTS[name.slice(0, -2)] : undefined;
      if (wanted !== undefined)
        expectClose(
          `gradient of ${name.slice(0, -2)}`,
          values.map((value) => value * 10),
          wanted,
        );
    }
    expectClose('loss after an update', trainable.predict(lossOf), [lossAfterOneStep()]);
  });
  trainable.dispose();
}

function testParameters(): readonly Parameter[] {
  const parameter = (name: string, shape: readonly number[], values: readonly number[]): Parameter => ({
    name,
    shape,
    values: Float32Array.from(values),
    role: name.endsWith('bias') ? 'bias' : 'weights',
  });
  return [
    parameter('hidden/weights', [2, 1], [0.5, 0.25]),
    parameter('hidden/bias', [1], [0]),
    parameter('output/weights', [1, 1], [2]),
    parameter('output/bias', [1], [-1]),
  ];
}

/** Adam's first step moves each weight by the learning rate against the sign of its gradient, here all positive. */
function lossAfterOneStep(): number {
  const hidden = 0.5 - LEARNING_RATE + 2 * (0.25 - LEARNING_RATE) - LEARNING_RATE;
  const logit = (2 - LEARNING_RATE) * hidden - 1 - LEARNING_RATE;
  return Math.log1p(Math.exp(logit));
}

function expectClose(what: string, got: Float32Array, wanted: readonly number[]): void {
  if (wanted.every((value, index) => Math.abs((got[index] ?? Number.NaN) - value) < TOLERANCE)) return;
  const message = `the backend's self-test failed: ${what} is ${got.join(', ')}, expected ${wanted.join(', ')}`;
  throw new TrainerError(EXIT.internal, message);
}
