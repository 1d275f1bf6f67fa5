import type { Job } from '../job.schema.js';
import { buildMlp } from './mlp.js';
import type { Model, ModelShape } from './model.js';

/** The model that the job describes, with first weights drawn by its seed. */
export function buildModel(job: Job, shape: ModelShape): Model {
  return buildMlp(job.model, shape, job.seed);
}
