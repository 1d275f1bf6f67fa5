import { EXIT } from '../contract.js';
import { TrainerError } from '../trainer-error.js';
import {
  inputsOf,
  type CategoryEncoding,
  type FeatureEncoding,
  type Preprocessor,
  type TargetEncoding,
} from './preprocessor.js';
import type { CategoryColumn, Column, Table } from './table.js';

/** Rows ready for a model, still as columns: one-hot inputs are written out a batch at a time. */
export class EncodedRows {
  private constructor(
    readonly rowCount: number,
    readonly inputCount: number,
    /** Class index, or the normalised value. */
    readonly labels: Float32Array,
    private readonly parts: readonly Part[],
    /** Rows with a category that training never saw, by feature. */
    readonly unseen: readonly { readonly name: string; readonly rows: number }[],
  ) {}

  /** `file` is for the message when a target has a class that training did not see. */
  static from(table: Table, preprocessor: Preprocessor, file: string): EncodedRows {
    let offset = 0;
    const unseen: { name: string; rows: number }[] = [];
    const parts = preprocessor.features.map((encoding, index) => {
      const column = table.features[index];
      if (column === undefined) throw new Error(`no column for feature ${encoding.name}`);
      const part = encodeFeature(column, encoding, offset);
      if (part.kind === 'category' && part.unseen > 0) unseen.push({ name: encoding.name, rows: part.unseen });
      offset += inputsOf(encoding);
      return part;
    });
    const labels = encodeTarget(table.target, preprocessor.target, file);
    return new EncodedRows(table.rowCount, preprocessor.inputCount, labels, parts, unseen);
  }

  /** Writes the inputs of `rows` one after the other into `into`. */
  writeInputs(rows: Uint32Array, into: Float32Array): void {
    into.fill(0);
    for (const part of this.parts) {
      for (let position = 0; position < rows.length; position += 1) {
        const row = rows[position] ?? 0;
        const start = position * this.inputCount + part.offset;
        if (part.kind === 'number') {
          into[start] = part.values[row] ?? 0;
          continue;
        }
        const hot = part.inputs[row] ?? NONE;
        if (hot !== NONE) into[start + hot] = 1;
      }
    }
  }
}

const NONE = -1;

type Part =
  | { readonly kind: 'number'; readonly offset: number; readonly values: Float32Array }
  | { readonly kind: 'category'; readonly offset: number; readonly inputs: Int32Array; readonly unseen: number };

function encodeFeature(column: Column, encoding: FeatureEncoding, offset: number): Part {
  if (column.kind === 'number' && encoding.type === 'number') {
    const { center, scale, fill } = encoding;
    const normalised = (value: number): number => ((Number.isNaN(value) ? fill : value) - center) / scale;
    return { kind: 'number', offset, values: Float32Array.from(column.values, normalised) };
  }
  if (column.kind === 'category' && encoding.type === 'category') return encodeCategory(column, encoding, offset);
  throw new Error(`column ${column.name} is no ${encoding.type}`);
}

function encodeCategory(column: CategoryColumn, encoding: CategoryEncoding, offset: number): Part {
  const inputOf = new Map(encoding.values.map((value, index) => [value, index]));
  const inputOfCode = column.names.map((name) => inputOf.get(name) ?? NONE);
  const inputs = Int32Array.from(column.codes, (code) =>
    code < 0 ? (encoding.missingAt ?? NONE) : (inputOfCode[code] ?? NONE),
  );
  return { kind: 'category', offset, inputs, unseen: inputs.reduce((sum, at) => sum + (at === NONE ? 1 : 0), 0) };
}

function encodeTarget(column: Column, target: TargetEncoding, file: string): Float32Array {
  if (target.type === 'number' && column.kind === 'number') {
    return Float32Array.from(column.values, (value) => (value - target.center) / target.scale);
  }
  if (target.type === 'number' || column.kind === 'number') throw new Error(`target ${column.name} changed its type`);
  const labelOfCode = column.names.map((name) => target.classes.indexOf(name));
  return Float32Array.from(column.codes, (code) => {
    const label = labelOfCode[code] ?? NONE;
    if (label !== NONE) return label;
    const found = column.names[code] ?? '';
    const expected = target.classes.slice(0, 5).join(', ');
    throw new TrainerError(
      EXIT.badData,
      `${file}: target "${column.name}": expected a class of the training split (${expected}), found "${found}"`,
    );
  });
}
