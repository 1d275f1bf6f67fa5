import { beforeAll, describe, expect, it } from '@jest/globals';
import { ActivationSchema, type Activation } from '../job.schema.js';
import { randomFor } from '../random.js';
import { ACTIVATIONS } from './activations.js';
import type { Backend, LossKind, NamedArray, Parameter, Tensor, Trainable, UpdateRule } from './backend.js';
import { LOSSES } from './losses.js';
import { openWasmBackend } from './wasm-backend.js';

const RULE: UpdateRule = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weightDecay: 0, l2: 0, clipNorm: undefined };
const [ROWS, INPUTS, HIDDEN] = [5, 4, 6];

/** A network of one hidden layer with dropout, its data, and the same network in plain double arithmetic. */
class Rig {
  readonly outputCount: number;
  readonly inputs = values('inputs', ROWS * INPUTS);
  readonly mask = values('mask', ROWS * HIDDEN).map((value) => (value > 0 ? 2 : 0));
  readonly labels: Float32Array;
  readonly parameters: readonly Parameter[];

  constructor(
    readonly activation: Activation,
    readonly kind: LossKind,
  ) {
    this.outputCount = kind === 'category' ? 3 : 1;
    this.labels = Float32Array.from({ length: ROWS }, (_, row) => (kind === 'category' ? row % 3 : row % 2));
    const parameter = (name: string, shape: readonly number[]): Parameter => ({
      name,
      shape,
      role: name.startsWith('w') ? 'weights' : 'bias',
      values: values(
        name,
        shape.reduce((product, length) => product * length, 1),
      ),
    });
    this.parameters = [
      parameter('w1', [INPUTS, HIDDEN]),
      parameter('b1', [HIDDEN]),
      parameter('w2', [HIDDEN, this.outputCount]),
      parameter('b2', [this.outputCount]),
    ];
  }

  /** The loss as the backend computes it. */
  loss({ operations: { dense, activate, mask, loss }, ...backend }: Backend): (weights: readonly Tensor[]) => Tensor {
    return ([w1, b1, w2, b2]) => {
      if (w1 === undefined || b1 === undefined || w2 === undefined || b2 === undefined) throw new Error('four weights');
      const x = backend.tensor(this.inputs, [ROWS, INPUTS]);
      const hidden = mask(activate(dense(x, w1, b1), this.activation), backend.tensor(this.mask, [ROWS, HIDDEN]));
      return loss(dense(hidden, w2, b2), backend.tensor(this.labels, [ROWS]), this.kind);
    };
  }

  /** The same, written a second time with loops over doubles. */
  lossInDoubles([w1, b1, w2, b2]: readonly (readonly number[])[]): number {
    const { value } = ACTIVATIONS[this.activation];
    const hidden = layer([...this.inputs], { weights: w1 ?? [], bias: b1 ?? [] }, INPUTS).map(
      (sum, at) => value(sum) * (this.mask[at] ?? 0),
    );
    const outputs = layer(hidden, { weights: w2 ?? [], bias: b2 ?? [] }, HIDDEN);
    // LOSSES sums in doubles over what it is given; its type is that of the heap.
    return LOSSES[this.kind].sum(outputs as unknown as Float32Array, this.labels, this.outputCount).loss / ROWS;
  }

  /** Central differences of the double network; exact to about 1e-9. */
  slopes(): number[][] {
    const at = this.parameters.map((parameter) => [...parameter.values]);
    const step = 1e-5;
    return at.map((weights, index) =>
      weights.map((weight, place) => {
        const moved = (by: number): number => this.lossInDoubles(at.with(index, weights.with(place, weight + by)));
        return (moved(step) - moved(-step)) / (2 * step);
      }),
    );
  }
}

function layer(
  x: readonly number[],
  { weights, bias }: { weights: readonly number[]; bias: readonly number[] },
  width: number,
): number[] {
  return Array.from({ length: (x.length / width) * bias.length }, (_, at) => {
    const [row, unit] = [Math.floor(at / bias.length), at % bias.length];
    let sum = bias[unit] ?? 0;
    for (let k = 0; k < width; k += 1) sum += (x[row * width + k] ?? 0) * (weights[k * bias.length + unit] ?? 0);
    return sum;
  });
}

function values(name: string, length: number): Float32Array {
  const random = randomFor(11, name);
  return Float32Array.from({ length }, () => random.unit() * 2 - 1);
}

describe(openWasmBackend.name, () => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await openWasmBackend();
  });

  /** Adam's first moment after one step from nothing is a tenth of the gradient that it was given. */
  function gradientsOf(trainable: Trainable): number[][] {
    return saved(trainable, '/m').map((moment) => [...moment.values].map((value) => value * 10));
  }

  function saved(trainable: Trainable, ending: RegExp | string): readonly NamedArray[] {
    return trainable.save().filter(({ name }) => name.endsWith(String(ending)));
  }

  const close = (rows: readonly (readonly number[])[], digits: number): unknown[][] =>
    rows.map((row) => row.map((value): unknown => expect.closeTo(value, digits)));

  const cases = ActivationSchema.options.flatMap((activation) =>
    (['binary', 'category', 'number'] as const).map((kind) => [activation, kind] as const),
  );

  it.each(cases)('computes loss and gradients right: %s, %s', (activation, kind) => {
    const rig = new Rig(activation, kind);
    const trainable = backend.createTrainable(rig.parameters, RULE);
    const [loss] = trainable.predict(rig.loss(backend));
    expect(loss).toBeCloseTo(rig.lossInDoubles(rig.parameters.map((parameter) => [...parameter.values])), 5);
    trainable.step(rig.loss(backend), 0.001);
    expect(gradientsOf(trainable)).toEqual(close(rig.slopes(), 5));
    trainable.dispose();
  });

  it('takes the steps of Adam, with the penalty before the clip and the decay beside it', () => {
    const rig = new Rig('tanh', 'binary');
    const rule = { ...RULE, l2: 0.05, clipNorm: 0.1, weightDecay: 0.2 };
    const trainable = backend.createTrainable(rig.parameters, rule);
    const rate = 0.01;
    trainable.step(rig.loss(backend), rate);
    const penalised = rig.slopes().map((slopes, index) => {
      const { role, values: weights } = rig.parameters[index] ?? { role: 'bias', values: new Float32Array() };
      return slopes.map((slope, at) => slope + (role === 'weights' ? 2 * rule.l2 * (weights[at] ?? 0) : 0));
    });
    const norm = Math.sqrt(penalised.flat().reduce((sum, slope) => sum + slope * slope, 0));
    expect(norm).toBeGreaterThan(rule.clipNorm);
    const clipped = penalised.map((slopes) => slopes.map((slope) => (slope * rule.clipNorm) / norm));
    expect(gradientsOf(trainable)).toEqual(close(clipped, 5));
    const wanted = rig.parameters.map(({ role, values: weights }, index) =>
      [...weights].map((weight, at) => {
        const g = clipped[index]?.[at] ?? 0;
        const [mean, variance] = [0.1 * g, 0.001 * g * g];
        const corrected = (rate * Math.sqrt(0.001)) / 0.1;
        const kept = role === 'weights' ? 1 - rate * rule.weightDecay : 1;
        return weight * kept - (corrected * mean) / (Math.sqrt(variance) + rule.epsilon);
      }),
    );
    const got = trainable.save().filter(({ name }) => !name.includes('/'));
    expect(got.map((array) => [...array.values])).toEqual(close(wanted, 5));
    trainable.dispose();
  });

  it('sees the new weights in each step, and goes on bit for bit from what it saved', () => {
    const rig = new Rig('relu', 'category');
    const lossOf = rig.loss(backend);
    const through = backend.createTrainable(rig.parameters, RULE);
    const losses: number[] = [];
    for (let step = 0; step < 20; step += 1) {
      losses.push(through.predict(lossOf)[0] ?? Number.NaN);
      through.step(lossOf, 0.01);
    }
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
    const half = backend.createTrainable(rig.parameters, RULE);
    for (let step = 0; step < 10; step += 1) half.step(lossOf, 0.01);
    const resumed = backend.createTrainable(rig.parameters, RULE);
    resumed.predict(lossOf); // packs the first weights, which must then be forgotten
    resumed.restore(half.save(), 10);
    for (let step = 10; step < 20; step += 1) resumed.step(lossOf, 0.01);
    expect(resumed.save()).toEqual(through.save());
    expect(() => {
      resumed.restore(half.save().slice(1), 10);
    }).toThrow('checkpoint has no w1 of 24 values');
    for (const trainable of [through, half, resumed]) trainable.dispose();
  });

  it('holds as many tensors after 1,000 steps as after the first', () => {
    const before = backend.tensorCount();
    const rig = new Rig('gelu', 'binary');
    const trainable = backend.createTrainable(rig.parameters, { ...RULE, clipNorm: 1, l2: 0.01 });
    const tally = backend.createTally();
    const step = (): void => {
      backend.scoped(() => {
        trainable.step((weights) => {
          const loss = rig.loss(backend)(weights);
          tally.add(backend.tensor(rig.inputs, [ROWS * INPUTS]), backend.tensor(rig.inputs, [ROWS * INPUTS]), 'number');
          return loss;
        }, 0.001);
        trainable.predict(rig.loss(backend));
      });
    };
    step();
    const afterFirst = backend.tensorCount();
    expect(afterFirst).toBe(before + 12);
    for (let count = 1; count < 1000; count += 1) step();
    expect(backend.tensorCount()).toBe(afterFirst);
    trainable.dispose();
    expect(backend.tensorCount()).toBe(before);
  });
});
