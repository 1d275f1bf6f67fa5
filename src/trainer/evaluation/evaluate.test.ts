import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evaluate } from './evaluate.js';
import { rocAuc } from './roc-auc.js';

const logit = (probability: number): number => Math.log(probability / (1 - probability));

describe(evaluate.name, () => {
  const binary = { type: 'binary', classes: ['no', 'yes'] } as const;
  // Probabilities 0.9 0.8 0.4 0.3 0.2 with labels 1 0 1 0 0.
  const predictions = {
    outputs: Float32Array.from([0.9, 0.8, 0.4, 0.3, 0.2], logit),
    width: 1,
    labels: Float32Array.of(1, 0, 1, 0, 0),
  };

  it('counts a binary target, and scores it by hand', () => {
    const metrics = ['accuracy', 'precision', 'recall', 'f1', 'rocAuc'] as const;
    const { metrics: got, confusion, classes } = evaluate(predictions, { target: binary, metrics, threshold: 0.5 });
    expect(classes).toEqual(['no', 'yes']);
    expect(confusion).toEqual([
      [2, 1],
      [1, 1],
    ]);
    const loss = -[0.9, 1 - 0.8, 0.4, 1 - 0.3, 1 - 0.2].reduce((sum, p) => sum + Math.log(p), 0) / 5;
    expect(got).toEqual({
      loss: expect.closeTo(loss, 6),
      accuracy: 0.6,
      precision: 0.5,
      recall: 0.5,
      f1: 0.5,
      rocAuc: expect.closeTo(5 / 6, 12), // of 2 × 3 pairs only (0.4, 0.8) is in the wrong order
    });
  });

  it('calls positive from the threshold on', () => {
    const confusionAt = (threshold: number): unknown =>
      evaluate(predictions, { target: binary, metrics: ['accuracy'], threshold }).confusion;
    expect(confusionAt(0.35)).toEqual([
      [2, 1],
      [0, 2],
    ]);
    expect(confusionAt(0.85)).toEqual([
      [3, 0],
      [1, 1],
    ]);
  });

  it('averages classes equally, one without rows or predictions counting 0', () => {
    const { metrics, confusion } = evaluate(
      {
        // Rows of class 0 0 1 2 are taken for 0 1 1 0.
        outputs: Float32Array.of(3, 1, 0, 0, 1, 0, -1, 0, -1, 2, 0, 1),
        width: 3,
        labels: Float32Array.of(0, 0, 1, 2),
      },
      {
        target: { type: 'category', classes: ['a', 'b', 'c'] },
        metrics: ['accuracy', 'precision', 'recall', 'f1'],
        threshold: 0.5,
      },
    );
    expect(confusion).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    expect(metrics).toMatchObject({
      accuracy: 0.5,
      precision: expect.closeTo((0.5 + 0.5 + 0) / 3, 12),
      recall: expect.closeTo((0.5 + 1 + 0) / 3, 12),
      f1: expect.closeTo((0.5 + 2 / 3 + 0) / 3, 12),
    });
  });

  it('gives errors of a number in the units of the data', () => {
    const { metrics, confusion } = evaluate(
      { outputs: Float32Array.of(1, 2, 5), width: 1, labels: Float32Array.of(1, 3, 2) },
      { target: { type: 'number', center: 100, scale: 10 }, metrics: ['mae', 'mse', 'r2'], threshold: 0.5 },
    );
    expect(confusion).toEqual([]);
    expect(metrics).toEqual({
      loss: expect.closeTo(10 / 3, 12),
      mae: expect.closeTo(40 / 3, 12),
      mse: expect.closeTo(1000 / 3, 10),
      r2: 1 - 10 / 2,
    });
  });

  it('leaves out what is not defined on these rows', () => {
    const { metrics } = evaluate(
      { outputs: Float32Array.of(1), width: 1, labels: Float32Array.of(1) },
      { target: binary, metrics: ['rocAuc', 'recall'], threshold: 0.5 },
    );
    expect(Object.keys(metrics)).toEqual(['loss', 'recall']);
  });
});

describe(rocAuc.name, () => {
  it('is the share of pairs in the right order, ties counted half', () => {
    const anyRow = fc.record({ score: fc.integer({ min: -3, max: 3 }), label: fc.integer({ min: 0, max: 1 }) });
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 60 }), (rows) => {
        const [positives, negatives] = [1, 0].map((label) => rows.filter((row) => row.label === label));
        const pairs = (positives ?? []).flatMap((a) =>
          (negatives ?? []).map((b) => (Math.sign(a.score - b.score) + 1) / 2),
        );
        const got = rocAuc(
          Float32Array.from(rows, ({ score }) => score),
          Float32Array.from(rows, ({ label }) => label),
        );
        if (pairs.length === 0) expect(got).toBeUndefined();
        else expect(got).toBeCloseTo(pairs.reduce((sum, pair) => sum + pair, 0) / pairs.length, 12);
      }),
    );
  });
});
