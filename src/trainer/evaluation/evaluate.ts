import { LOSSES, largestAt } from '../backend/losses.js';
import type { TargetEncoding } from '../data/preprocessor.js';
import type { Metric } from '../job.schema.js';
import { rocAuc } from './roc-auc.js';

/** What the model said, one row after the other, and what was right. */
export interface Predictions {
  /** Logits, or the normalised value. */
  readonly outputs: Float32Array;
  readonly width: number;
  readonly labels: Float32Array;
}

export interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
  readonly classes: readonly string[];
  /** `confusion[actual][predicted]`; empty for a number. */
  readonly confusion: readonly (readonly number[])[];
}

export interface EvaluationRules {
  readonly target: TargetEncoding;
  readonly metrics: readonly Metric[];
  /** Of the probability from which a binary target is called positive. */
  readonly threshold: number;
}

/** The loss and the metrics asked for; one that is not defined on these rows is left out. */
export function evaluate(predictions: Predictions, rules: EvaluationRules): Evaluation {
  return rules.target.type === 'number'
    ? evaluateNumber(predictions, rules.target, rules.metrics)
    : evaluateClasses(predictions, rules.target, rules);
}

function evaluateClasses(
  predictions: Predictions,
  target: Extract<TargetEncoding, { classes: readonly string[] }>,
  { metrics, threshold }: EvaluationRules,
): Evaluation {
  const { outputs, width, labels } = predictions;
  const thresholdLogit = Math.log(threshold / (1 - threshold));
  const predictedAt = (row: number): number =>
    target.type === 'binary' ? Number((outputs[row] ?? 0) >= thresholdLogit) : largestAt(outputs, row, width);
  const confusion = target.classes.map(() => target.classes.map(() => 0));
  for (const [row, label] of labels.entries()) {
    const counts = confusion[label];
    const predicted = predictedAt(row);
    if (counts !== undefined) counts[predicted] = (counts[predicted] ?? 0) + 1;
  }
  const scores = target.type === 'binary' ? positiveScores(confusion) : macroScores(confusion);
  const all: Partial<Record<Metric, number | undefined>> = {
    accuracy: confusion.reduce((sum, row, index) => sum + (row[index] ?? 0), 0) / labels.length,
    ...scores,
    ...(target.type === 'binary' ? { rocAuc: rocAuc(outputs, labels) } : {}),
  };
  const loss = LOSSES[target.type].sum(outputs, labels, width).loss / labels.length;
  return { metrics: { loss, ...chosen(all, metrics) }, classes: target.classes, confusion };
}

/** In the units of the data, except the loss, which is what was minimised. */
function evaluateNumber(
  { outputs, labels }: Predictions,
  { scale }: Extract<TargetEncoding, { type: 'number' }>,
  metrics: readonly Metric[],
): Evaluation {
  const { loss, hits } = LOSSES.number.sum(outputs, labels, 1);
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  const spread = labels.reduce((sum, label) => sum + (label - mean) ** 2, 0);
  const all: Partial<Record<Metric, number | undefined>> = {
    mae: (hits / labels.length) * scale,
    mse: (loss / labels.length) * scale * scale,
    r2: spread === 0 ? undefined : 1 - loss / spread,
  };
  return { metrics: { loss: loss / labels.length, ...chosen(all, metrics) }, classes: [], confusion: [] };
}

interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Of the second class, the positive one. Where nothing was predicted or nothing was there, the score is 0. */
function positiveScores(confusion: readonly (readonly number[])[]): ClassScores {
  return classScores(confusion, 1);
}

/** Each class counts the same, however many rows it has. */
function macroScores(confusion: readonly (readonly number[])[]): ClassScores {
  const scores = confusion.map((_, index) => classScores(confusion, index));
  const mean = (of: (score: ClassScores) => number): number =>
    scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  return { precision: mean((s) => s.precision), recall: mean((s) => s.recall), f1: mean((s) => s.f1) };
}

function classScores(confusion: readonly (readonly number[])[], index: number): ClassScores {
  const right = confusion[index]?.[index] ?? 0;
  const predicted = confusion.reduce((sum, row) => sum + (row[index] ?? 0), 0);
  const actual = confusion[index]?.reduce((sum, count) => sum + count, 0) ?? 0;
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    precision: ratio(right, predicted),
    recall: ratio(right, actual),
    f1: ratio(2 * right, predicted + actual),
  };
}

function chosen(
  all: Partial<Record<Metric, number | undefined>>,
  metrics: readonly Metric[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(metrics.flatMap((metric) => (all[metric] === undefined ? [] : [[metric, all[metric]]])));
}
