import { permutation, randomFor } from '../random.js';
import type { EncodedRows } from './encoded-rows.js';

/** Valid until the next batch is taken: the arrays are used again. */
export interface Batch {
  readonly rowCount: number;
  readonly inputs: Float32Array;
  readonly labels: Float32Array;
}

/**
 * Shuffled batches, addressed by step: epoch and place follow from the step and the seed, so the cursor of a resumed
 * run is one number.
 */
export class ShuffledBatches {
  readonly stepsPerEpoch: number;
  private order: Uint32Array = new Uint32Array();
  private orderOf = -1;
  private readonly buffers: Buffers;

  constructor(
    private readonly rows: EncodedRows,
    private readonly batchSize: number,
    private readonly seed: number,
  ) {
    this.stepsPerEpoch = Math.ceil(rows.rowCount / batchSize);
    this.buffers = buffersFor(rows, batchSize);
  }

  /** The batch of a step that counts from 0; the last of an epoch may be smaller. */
  at(step: number): Batch {
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (epoch !== this.orderOf) {
      this.order = permutation(this.rows.rowCount, randomFor(this.seed, 'shuffle', epoch));
      this.orderOf = epoch;
    }
    const start = (step % this.stepsPerEpoch) * this.batchSize;
    return fill(this.rows, this.order.subarray(start, start + this.batchSize), this.buffers);
  }
}

const SCORING_BATCH = 1024;

/** All rows in their order, for scoring. */
export function* orderedBatches(rows: EncodedRows): Generator<Batch> {
  const buffers = buffersFor(rows, SCORING_BATCH);
  const all = Uint32Array.from({ length: rows.rowCount }, (_, row) => row);
  for (let start = 0; start < rows.rowCount; start += SCORING_BATCH) {
    yield fill(rows, all.subarray(start, start + SCORING_BATCH), buffers);
  }
}

interface Buffers {
  readonly inputs: Float32Array;
  readonly labels: Float32Array;
}

function buffersFor(rows: EncodedRows, batchSize: number): Buffers {
  const rowsMax = Math.min(batchSize, rows.rowCount);
  return { inputs: new Float32Array(rowsMax * rows.inputCount), labels: new Float32Array(rowsMax) };
}

function fill(rows: EncodedRows, chosen: Uint32Array, buffers: Buffers): Batch {
  const inputs = buffers.inputs.subarray(0, chosen.length * rows.inputCount);
  const labels = buffers.labels.subarray(0, chosen.length);
  rows.writeInputs(chosen, inputs);
  for (const [position, row] of chosen.entries()) labels[position] = rows.labels[row] ?? 0;
  return { rowCount: chosen.length, inputs, labels };
}
