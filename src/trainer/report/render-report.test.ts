import { describe, expect, it } from '@jest/globals';
import { aJob } from '../../../test/trainer/small-job.js';
import { REPORT_HTML_BYTES_MAX, type TrainingReport } from '../contract.js';
import type { Job } from '../job.schema.js';
import { renderReport } from './render-report.js';
import { thinned } from './thinned.js';

function page(job: Job, epochCount: number): string {
  const epochs = Array.from({ length: epochCount }, (_, index) => ({
    epoch: index + 1,
    metrics: { loss: 1 / (index + 1), accuracy: 0.5, val_loss: 1 / (index + 2), val_accuracy: 0.25 },
  }));
  const report: TrainingReport = {
    name: job.name,
    backend: { name: 'wasm', version: '1', devices: 'CPU' },
    seed: 0,
    rows: { train: 90, validation: 10, test: 0 },
    cleaning: [],
    model: { layers: [], parameters: 0 },
    epochs,
    test: {},
    classes: [],
    confusion: [],
    seconds: 1,
  };
  return renderReport({ report, job, inputCount: 3, ending: 'all epochs were done', scores: { loss: 1 } });
}

describe(renderReport.name, () => {
  it('stays small, however long the training was', () => {
    const html = page(aJob(), 100_000);
    expect(Buffer.byteLength(html)).toBeLessThan(REPORT_HTML_BYTES_MAX / 10);
    expect(html).toContain('100,000 of 4 epochs in');
  });

  it('speaks of classes only where there are some', () => {
    expect(page(aJob(), 1)).toContain('10 (held back, same share of each class)');
    expect(page(aJob({ target: { name: 'label', type: 'number' } }), 1)).toContain('10 (held back)');
  });
});

describe(thinned.name, () => {
  it('keeps a short list, and of a long one as many as asked for, with the first and the last', () => {
    expect(thinned([1, 2, 3], 3)).toEqual([1, 2, 3]);
    const items = Array.from({ length: 1001 }, (_, index) => index);
    expect(thinned(items, 5)).toEqual([0, 250, 500, 750, 1000]);
  });
});
