import type { Backend, Trainable } from '../backend/backend.js';
import { LOSSES } from '../backend/losses.js';
import { orderedBatches } from '../data/batches.js';
import type { EncodedRows } from '../data/encoded-rows.js';
import type { Predictions } from '../evaluation/evaluate.js';
import type { Model } from '../model/model.js';

interface Predictor {
  readonly backend: Backend;
  readonly model: Model;
  readonly trainable: Trainable;
}

/** The outputs for all rows, in their order, a batch at a time. */
export function predictRows({ backend, model, trainable }: Predictor, rows: EncodedRows): Predictions {
  let outputs = new Float32Array();
  let width = 1;
  let filled = 0;
  for (const batch of orderedBatches(rows)) {
    const part = backend.scoped(() => {
      const inputs = backend.tensor(batch.inputs, [batch.rowCount, rows.inputCount]);
      return trainable.predict((weights) => model.outputs({ backend, weights, inputs }));
    });
    if (filled === 0) {
      width = part.length / batch.rowCount;
      outputs = new Float32Array(rows.rowCount * width);
    }
    outputs.set(part, filled);
    filled += part.length;
  }
  return { outputs, width, labels: rows.labels };
}

/** Loss and accuracy (or mean absolute error) of all rows, as the learning curve shows them. */
export function scoreRows(predictor: Predictor, rows: EncodedRows): Readonly<Record<string, number>> {
  const { outputs, labels, width } = predictRows(predictor, rows);
  const { loss, hits } = LOSSES[predictor.model.loss].sum(outputs, labels, width);
  return {
    loss: loss / rows.rowCount,
    [predictor.model.loss === 'number' ? 'mae' : 'accuracy']: hits / rows.rowCount,
  };
}
