import type { LossKind } from '../backend/backend.js';
import type { Job } from '../job.schema.js';
import { buildMlp } from './mlp.js';
import type { Model } from './model.js';

export interface ModelShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly loss: LossKind;
}

/** The model that the job describes, with first weights drawn by its seed. */
export function buildModel(job: Job, shape: ModelShape): Model {
  return buildMlp(job.model, shape, job.seed);
}
