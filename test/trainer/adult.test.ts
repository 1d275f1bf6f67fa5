import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EXIT, TrainingReportSchema } from '../../src/trainer/contract.js';
import { CHECKOUT } from '../support/scratch-checkout.js';
import { runTrainer } from './trainer-process.js';

const MINUTES_MAX = 5 * 60_000; // ten seconds on two free cores

describe('the Adult example', () => {
  it(
    'reaches 0.845 on the official test split',
    async () => {
      const out = mkdtempSync(join(tmpdir(), 'berth-adult-'));
      const file = join(CHECKOUT, 'docs', 'examples', 'adult', 'adult.yaml');
      const { code, stdout } = await runTrainer({ file, out });
      expect(code).toBe(EXIT.done);
      const report = TrainingReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
      rmSync(out, { recursive: true });
      expect(report.rows.test).toBe(16_281);
      expect(report.epochs).toHaveLength(10);
      expect(report.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(16_281);
      expect(report.test['accuracy']).toBeGreaterThanOrEqual(0.845);
      expect(report.test['rocAuc']).toBeGreaterThan(0.9);
      expect(stdout).toContain('adult-income: 9,089 parameters, 108 inputs\n');
    },
    MINUTES_MAX,
  );
});
