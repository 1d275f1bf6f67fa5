import { EXIT } from '../contract.js';
import type { Feature, Job, Target } from '../job.schema.js';
import { TrainerError } from '../trainer-error.js';
import type { Bounds } from './clean-table.js';
import { statisticsOf, type Statistics } from './statistics.js';
import { countMissing, MISSING_CODE, type Column, type Table } from './table.js';

/**
 * Everything learnt from the training split that turns a row into inputs, as plain data: it is saved with each
 * checkpoint, and prediction needs nothing else.
 */
export interface Preprocessor {
  readonly features: readonly FeatureEncoding[];
  readonly target: TargetEncoding;
  readonly bounds: readonly Bounds[];
  readonly inputCount: number;
}

export type FeatureEncoding = NumberEncoding | CategoryEncoding;

/** One input: (value - center) / scale. */
export interface NumberEncoding {
  readonly type: 'number';
  readonly name: string;
  readonly center: number;
  readonly scale: number;
  /** Stands for a missing value, before normalising. */
  readonly fill: number;
}

/** One input a value, one of them 1. A value that training never saw sets none. */
export interface CategoryEncoding {
  readonly type: 'category';
  readonly name: string;
  readonly values: readonly string[];
  /** Index of the input for a missing value, where there is one. */
  readonly missingAt: number | undefined;
}

export type TargetEncoding =
  | { readonly type: 'binary' | 'category'; readonly classes: readonly string[] }
  /** Learnt as (value - center) / scale. */
  | { readonly type: 'number'; readonly center: number; readonly scale: number };

const CLASSES_MAX = 10_000;

/** Fits on the training split only: nothing of the validation or test rows may leak into a statistic. */
export function fitPreprocessor(train: Table, job: Job, bounds: readonly Bounds[]): Preprocessor {
  const features = job.features.map((feature, index) => {
    const column = train.features[index];
    if (column === undefined) throw new Error(`no column for feature ${feature.name}`);
    return fitFeature(column, feature);
  });
  return {
    features,
    target: fitTarget(train.target, job.target),
    bounds,
    inputCount: features.reduce((sum, encoding) => sum + inputsOf(encoding), 0),
  };
}

export function inputsOf(encoding: FeatureEncoding): number {
  return encoding.type === 'number' ? 1 : encoding.values.length;
}

/** Outputs of the model: one logit for two classes, one a class for more, the value itself for a number. */
export function outputsOf(target: TargetEncoding): number {
  return target.type === 'category' ? target.classes.length : 1;
}

function fitFeature(column: Column, feature: Feature): FeatureEncoding {
  if (column.kind === 'number' && feature.type === 'number') {
    const statistics = statisticsOf(column.values);
    if (statistics === undefined) throw noValues(feature.name);
    const { center, scale } = normalisation(statistics, feature.normalise);
    const { missing } = feature;
    const fill =
      missing === 'constant' ? (feature.fill ?? 0) : missing === 'median' ? statistics.median : statistics.mean;
    return { type: 'number', name: feature.name, center, scale: scale === 0 ? 1 : scale, fill };
  }
  if (column.kind === 'category' && feature.type === 'category')
    return fitCategory(column.codes, column.names, feature);
  throw new Error(`column ${column.name} is no ${feature.type}`);
}

function fitCategory(
  codes: Int32Array,
  names: readonly string[],
  feature: Extract<Feature, { type: 'category' }>,
): CategoryEncoding {
  const hasMissing = codes.includes(MISSING_CODE);
  const seen = new Set([...new Set(codes)].flatMap((code) => names[code] ?? []));
  if (feature.missing === 'constant' && hasMissing && feature.fill !== undefined) seen.add(feature.fill);
  if (seen.size === 0) throw noValues(feature.name);
  const values = [...seen].sort(byCodeUnit);
  if (feature.missing === 'constant') {
    const at = feature.fill === undefined ? -1 : values.indexOf(feature.fill);
    return { type: 'category', name: feature.name, values, missingAt: at < 0 ? undefined : at };
  }
  if (feature.missing !== 'category' || !hasMissing) {
    return { type: 'category', name: feature.name, values, missingAt: undefined };
  }
  return { type: 'category', name: feature.name, values: [...values, '(missing)'], missingAt: values.length };
}

interface Normalisation {
  readonly center: number;
  readonly scale: number;
}

function normalisation(statistics: Statistics, kind: Extract<Feature, { type: 'number' }>['normalise']): Normalisation {
  const { mean, deviation, minimum, maximum, median, firstQuartile, thirdQuartile } = statistics;
  switch (kind) {
    case 'zscore':
      return { center: mean, scale: deviation };
    case 'minmax01':
      return { center: minimum, scale: maximum - minimum };
    case 'minmax11':
      return { center: (minimum + maximum) / 2, scale: (maximum - minimum) / 2 };
    case 'robust':
      return { center: median, scale: thirdQuartile - firstQuartile };
    case 'none':
      return { center: 0, scale: 1 };
  }
}

function fitTarget(column: Column, target: Target): TargetEncoding {
  if (column.kind === 'number') {
    const statistics = statisticsOf(column.values);
    if (statistics === undefined) throw noValues(target.name);
    return { type: 'number', center: statistics.mean, scale: statistics.deviation || 1 };
  }
  const found = [...new Set(column.codes)].flatMap((code) => column.names[code] ?? []).sort(byCodeUnit);
  if (target.type === 'category') {
    if (found.length >= 2 && found.length <= CLASSES_MAX) return { type: 'category', classes: found };
    throw wrongClasses(target.name, `2 to ${CLASSES_MAX} classes`, found);
  }
  if (found.length !== 2) throw wrongClasses(target.name, 'exactly 2 classes', found);
  const positive = target.type === 'binary' ? target.positive : undefined;
  if (positive === undefined) return { type: 'binary', classes: found };
  if (!found.includes(positive)) throw wrongClasses(target.name, `the positive class "${positive}"`, found);
  return { type: 'binary', classes: [...found.filter((name) => name !== positive), positive] };
}

function wrongClasses(name: string, expected: string, found: readonly string[]): TrainerError {
  const shown = found.slice(0, 5).map((value) => `"${value}"`);
  const list = found.length > shown.length ? `${shown.join(', ')}, …` : shown.join(', ');
  return new TrainerError(
    EXIT.badData,
    `target "${name}": expected ${expected} in the training split, found ${found.length} (${list})`,
  );
}

function noValues(name: string): TrainerError {
  return new TrainerError(EXIT.badData, `column "${name}": every value of the training split is missing`);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many values of each feature a split lacks, with what stands for them. */
export function describeFilling(table: Table, job: Job): readonly { readonly why: string; readonly rows: number }[] {
  return job.features.flatMap((feature, index) => {
    const column = table.features[index];
    const rows = column === undefined ? 0 : countMissing(column);
    if (rows === 0) return [];
    const by = feature.missing === 'category' ? 'kept as a category of its own' : `filled with the ${feature.missing}`;
    return [{ why: `${feature.name}: value is missing, ${by}`, rows }];
  });
}
