import { describe, expect, it } from '@jest/globals';
import { RunPrinter } from './run-printer.js';
import type { TrainingFacts } from './worker-messages.js';

const FACTS: TrainingFacts = {
  rows: { train: 1000, validation: 100, test: 0 },
  cleaning: [{ why: 'duplicate of an earlier row, dropped', rows: 1234, of: 'train' }],
  model: { layers: ['output: dense 3 → 1, sigmoid'], parameters: 4 },
  backend: { name: 'wasm', version: '4.22.0', devices: 'CPU' },
  inputs: 3,
  stepsTotal: 100,
  stepsPerEpoch: 10,
  epochsTotal: 10,
  batchSize: 100,
  resumedFrom: { step: 20, epochs: [] },
};
const PROGRESS = { step: 25, samplesPerSecond: 1234.4, stepMillis: 1, remainingSeconds: 3725 };

describe(RunPrinter.name, () => {
  function printed(terminal: 'terminal' | 'log', columns: number): string {
    const texts: string[] = [];
    const printer = new RunPrinter({ write: (text) => texts.push(text), terminal, columns }, 'small');
    printer.prepared(FACTS);
    printer.progress(PROGRESS, { loss: 0.25 });
    printer.epoch({ epoch: 3, metrics: { loss: 0.125 } }, PROGRESS);
    return texts.join('');
  }

  const head = [
    'small: 4 parameters, 3 inputs',
    '  output: dense 3 → 1, sigmoid',
    'backend wasm (TensorFlow.js 4.22.0), CPU',
    'rows: 1,000 training, 100 validation, 0 test',
    '  train: duplicate of an earlier row, dropped (1,234 rows)',
    'resumed from the checkpoint of step 20',
    '',
  ].join('\n');
  const epoch = 'epoch  3/10  loss 0.1250  1,234 samples/s  ETA 1 h 2 min\n';

  it('writes lines in a log, and nothing that a log cannot take back', () => {
    expect(printed('log', 80)).toBe(head + epoch);
  });

  it('shows a bar in a terminal, cut to its width, and clears it before the next line', () => {
    const clear = '\r\u001b[2K';
    const bar = '██████░░░░░░░░░░░░░░░░░░  25 %  epoch 3/10  loss 0.2500  1,234 samples/s  ETA 1 h 2 min';
    expect(printed('terminal', 120)).toBe(`${head}${clear}${bar}${clear}${epoch}`);
    expect(printed('terminal', 41)).toBe(`${head}${clear}${bar.slice(0, 40)}${clear}${epoch}`);
  });
});
