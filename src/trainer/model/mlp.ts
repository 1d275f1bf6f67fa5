import type { Parameter, Tensor } from '../backend/backend.js';
import type { Job } from '../job.schema.js';
import { randomFor } from '../random.js';
import type { ForwardPass, Model, ModelShape } from './model.js';

type MlpSpec = Extract<Job['model'], { type: 'mlp' }>;

const LAST_ACTIVATION = { binary: 'sigmoid', category: 'softmax', number: 'linear' } as const;

/** Dense layers with one activation; the last is linear, because the loss takes logits. */
export function buildMlp(spec: MlpSpec, shape: ModelShape, seed: number): Model {
  const widths = [shape.inputs, ...spec.hidden, shape.outputs];
  const names = [...spec.hidden.map((_, index) => `hidden${index + 1}`), 'output'];
  return {
    parameters: names.flatMap((name, layer) => denseParameters(name, [at(widths, layer), at(widths, layer + 1)], seed)),
    layers: names.map((name, layer) => {
      const activation = layer < spec.hidden.length ? spec.activation : LAST_ACTIVATION[shape.loss];
      const dropout = layer < spec.hidden.length && spec.dropout > 0 ? `, dropout ${spec.dropout}` : '';
      return `${name}: dense ${at(widths, layer)} → ${at(widths, layer + 1)}, ${activation}${dropout}`;
    }),
    outputs: (pass) => outputs(pass, spec, seed),
    loss: shape.loss,
    l2: spec.l2,
  };
}

function outputs({ backend, weights, inputs, trainingStep }: ForwardPass, spec: MlpSpec, seed: number): Tensor {
  const { dense, activate, mask } = backend.operations;
  let x = inputs;
  for (const layer of spec.hidden.keys()) {
    x = activate(dense(x, at(weights, 2 * layer), at(weights, 2 * layer + 1)), spec.activation);
    if (trainingStep === undefined || spec.dropout === 0) continue;
    const drawn = dropoutMask(x.size, spec.dropout, randomFor(seed, 'dropout', trainingStep, layer));
    x = mask(x, backend.tensor(drawn, x.shape));
  }
  return dense(x, at(weights, 2 * spec.hidden.length), at(weights, 2 * spec.hidden.length + 1));
}

/** What stays is scaled up, so that the expected sum is the same as without dropout. */
function dropoutMask(size: number, rate: number, random: { unit(): number }): Float32Array {
  return Float32Array.from({ length: size }, () => (random.unit() < rate ? 0 : 1 / (1 - rate)));
}

/** Glorot and Bengio 2010, uniform, as Keras draws dense layers; biases start at 0. */
function denseParameters(name: string, [inputs, units]: readonly [number, number], seed: number): readonly Parameter[] {
  const limit = Math.sqrt(6 / (inputs + units));
  const random = randomFor(seed, 'weights', name);
  const values = Float32Array.from({ length: inputs * units }, () => (2 * random.unit() - 1) * limit);
  return [
    { name: `${name}/weights`, role: 'weights', shape: [inputs, units], values },
    { name: `${name}/bias`, role: 'bias', shape: [units], values: new Float32Array(units) },
  ];
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Error(`no element ${index} of ${values.length}`);
  return value;
}
