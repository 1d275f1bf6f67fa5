import type { Epoch } from '../contract.js';
import { confusionLines } from '../report/confusion-lines.js';
import { count, duration, metricTitle, score } from '../report/format.js';
import type { FinishedTraining, Progress, TrainingFacts } from './worker-messages.js';

/** Where a run is told to people: lines in a log, a bar in a terminal. */
export interface Output {
  readonly write: (text: string) => void;
  readonly terminal: 'terminal' | 'log';
  readonly columns: number;
}

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001b[2K';
const CONFUSION_CLASSES_MAX = 12;

/** Prints what a run is, how far it is, and what it came to. */
export class RunPrinter {
  private facts: TrainingFacts | undefined;
  private isBarShown = false;

  constructor(
    private readonly output: Output,
    private readonly name: string,
  ) {}

  prepared(facts: TrainingFacts): void {
    this.facts = facts;
    const { rows, model, backend, cleaning, resumedFrom } = facts;
    this.line(`${this.name}: ${count(model.parameters)} parameters, ${count(facts.inputs)} inputs`);
    for (const layer of model.layers) this.line(`  ${layer}`);
    this.line(`backend ${backend.name} (TensorFlow.js ${backend.version}), ${backend.devices}`);
    this.line(`rows: ${count(rows.train)} training, ${count(rows.validation)} validation, ${count(rows.test)} test`);
    for (const { why, rows: affected, of } of cleaning) this.line(`  ${of}: ${why} (${count(affected)} rows)`);
    if (resumedFrom !== undefined) this.line(`resumed from the checkpoint of step ${count(resumedFrom.step)}`);
  }

  progress(progress: Progress, metrics: Readonly<Record<string, number>>): void {
    if (this.output.terminal === 'log' || this.facts === undefined) return;
    const { stepsTotal, stepsPerEpoch, epochsTotal } = this.facts;
    const share = stepsTotal === 0 ? 1 : progress.step / stepsTotal;
    const full = Math.round(share * BAR_WIDTH);
    const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
    const epoch = Math.min(epochsTotal, Math.floor(progress.step / stepsPerEpoch) + 1);
    const text = `${bar} ${String(Math.round(share * 100)).padStart(3)} %  epoch ${epoch}/${epochsTotal}  ${metricsText(metrics)}${speedText(progress)}`;
    this.output.write(CLEAR_LINE + text.slice(0, Math.max(20, this.output.columns - 1)));
    this.isBarShown = true;
  }

  epoch({ epoch, metrics }: Epoch, progress: Progress): void {
    const total = String(this.facts?.epochsTotal ?? epoch);
    this.line(`epoch ${String(epoch).padStart(total.length)}/${total}  ${metricsText(metrics)}${speedText(progress)}`);
  }

  finished({ report, reportPath, scores }: FinishedTraining): void {
    const scored = Object.keys(report.test).length > 0 ? 'Test' : 'Validation';
    const { classes, confusion } = report;
    if (classes.length > 0 && classes.length <= CONFUSION_CLASSES_MAX) {
      this.line('');
      this.line(
        `Confusion matrix of the ${scored.toLowerCase()} rows (a line an actual class, a column a predicted one)`,
      );
      for (const text of confusionLines(classes, confusion)) this.line(text);
    }
    const headline =
      'accuracy' in scores ? 'accuracy' : (Object.keys(scores).find((name) => name !== 'loss') ?? 'loss');
    this.line('');
    for (const [name, value] of Object.entries(scores)) {
      if (name !== headline) this.line(`${scored} ${inSentence(name)}: ${score(name, value)}`);
    }
    this.line(`Report: ${reportPath}`);
    this.line(`${scored} ${inSentence(headline)}: ${score(headline, scores[headline] ?? Number.NaN)}`);
  }

  line(text: string): void {
    if (this.isBarShown) this.output.write(CLEAR_LINE);
    this.isBarShown = false;
    this.output.write(`${text}\n`);
  }
}

function metricsText(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${score(name, value)}  `)
    .join('');
}

function speedText({ samplesPerSecond, remainingSeconds }: Progress): string {
  return `${count(samplesPerSecond)} samples/s  ETA ${duration(remainingSeconds)}`;
}

/** `F1` and `ROC AUC` keep their capitals. */
function inSentence(name: string): string {
  const title = metricTitle(name);
  return /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}
