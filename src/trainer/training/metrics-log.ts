import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Epoch } from '../contract.js';

/** `metrics.jsonl`: one line an epoch. A resumed run begins it anew, so that lines after its checkpoint are not there twice. */
export class MetricsLog {
  private readonly file: string;

  constructor(folder: string, earlier: readonly Epoch[]) {
    mkdirSync(folder, { recursive: true });
    this.file = join(folder, 'metrics.jsonl');
    writeFileSync(this.file, earlier.map(lineOf).join(''));
  }

  append(epoch: Epoch): void {
    appendFileSync(this.file, lineOf(epoch));
  }
}

function lineOf({ epoch, metrics }: Epoch): string {
  return `${JSON.stringify({ epoch, ...metrics })}\n`;
}
