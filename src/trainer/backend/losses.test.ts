import { describe, expect, it } from '@jest/globals';
import { ACTIVATIONS, sigmoid } from './activations.js';
import type { LossKind } from './backend.js';
import { LOSSES } from './losses.js';

const logit = (probability: number): number => Math.log(probability / (1 - probability));
const close = (values: readonly number[], digits: number): unknown[] =>
  values.map((value): unknown => expect.closeTo(value, digits));

describe('losses', () => {
  // Four answers and what was said, a worked example of tutorials: the first term of the cross-entropy alone is 1.204.
  const labels = Float32Array.of(1, 0, 1, 0);
  const said = [0.3, 0.7, 0.6, 0.4];

  it('agree with the worked example', () => {
    const { loss, hits } = LOSSES.binary.sum(Float32Array.from(said, logit), labels, 1);
    expect(loss / 4).toBeCloseTo(0.857, 3);
    expect(hits).toBe(2);
    expect(LOSSES.number.sum(Float32Array.from(said), labels, 1).loss / 4).toBeCloseTo(0.325, 6);
  });

  it('give two classes the same cross-entropy as one logit', () => {
    const two = Float32Array.from(said.flatMap((share) => [Math.log(1 - share), Math.log(share)]));
    const { loss, hits } = LOSSES.category.sum(two, labels, 2);
    expect(loss).toBeCloseTo(LOSSES.binary.sum(Float32Array.from(said, logit), labels, 1).loss, 5);
    expect(hits).toBe(2);
  });

  it('neither overflow nor lose what is small', () => {
    const binary = (output: number, label: number): number =>
      LOSSES.binary.sum(Float32Array.of(output), Float32Array.of(label), 1).loss;
    expect(binary(-800, 1)).toBe(800);
    expect(binary(800, 1)).toBe(0);
    expect(binary(40, 1)).toBeCloseTo(Math.exp(-40), 25);
    expect(LOSSES.category.sum(Float32Array.of(1000, 0, -1000), Float32Array.of(1), 3).loss).toBe(1000);
  });

  it.each([
    ['binary', 1],
    ['category', 3],
    ['number', 1],
  ] as const)('%s: the gradient is the slope of the loss', (kind: LossKind, width) => {
    const outputs = Float32Array.from({ length: 4 * width }, (_, at) => Math.sin(at + 1) * 2);
    const gradient = new Float32Array(outputs.length);
    LOSSES[kind].gradient({ outputs, labels, width, scale: 0.25 }, gradient);
    const slopes = Array.from(outputs, (_, at) => {
      const lossAt = (move: number): number => {
        const moved = outputs.slice();
        moved[at] = (moved[at] ?? 0) + move;
        return LOSSES[kind].sum(moved, labels, width).loss / 4;
      };
      return (lossAt(2 ** -10) - lossAt(-(2 ** -10))) / 2 ** -9;
    });
    expect([...gradient]).toEqual(close(slopes, 4));
  });
});

describe('activations', () => {
  it('have the values of the textbooks', () => {
    expect([1, 2, 3].map(sigmoid)).toEqual(close([0.731, 0.881, 0.953], 3));
    expect([1, 2, 3].map(ACTIVATIONS.tanh.value)).toEqual(close([0.762, 0.964, 0.995], 3));
    expect([-1, 0, 2].map(ACTIVATIONS.relu.value)).toEqual([0, 0, 2]);
    expect([-1, 2].map(ACTIVATIONS.leakyRelu.value)).toEqual([-0.2, 2]);
    expect([-1, 2].map(ACTIVATIONS.elu.value)).toEqual(close([Math.exp(-1) - 1, 2], 12));
    expect([-1, 1].map(ACTIVATIONS.swish.value)).toEqual(close([-0.2689, 0.7311], 4));
    expect([-1, 1].map(ACTIVATIONS.gelu.value)).toEqual(close([-0.1588, 0.8412], 4));
  });

  it('do not overflow', () => {
    for (const { value, slope } of Object.values(ACTIVATIONS)) {
      for (const x of [-1000, 1000]) expect([value(x), slope(x)].every(Number.isFinite)).toBe(true);
    }
  });

  it.each(Object.entries(ACTIVATIONS))('%s: slope is the slope of value', (_name, { value, slope }) => {
    for (const x of [-3.1, -1, -0.3, 0.2, 0.9, 2.7]) {
      expect(slope(x)).toBeCloseTo((value(x + 1e-6) - value(x - 1e-6)) / 2e-6, 7);
    }
  });
});
