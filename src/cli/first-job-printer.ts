import type { Epoch, TrainingReport } from '../trainer/contract.js';
import type { Workload } from '../server/workloads/workload.schema.js';
import { confusionLines } from '../trainer/report/confusion-lines.js';
import { count, duration, metricTitle, score } from '../trainer/report/format.js';

const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001b[2K';

export interface Screen {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
}

/** Tells the story of one training: where it stands, each epoch, and what it came to. */
export class FirstJobPrinter {
  private isBarShown = false;
  private stateTold = '';
  private epochTold = 0;

  constructor(private readonly screen: Screen) {}

  begin({ metadata, spec }: Workload, how: 'submitted' | 'found'): void {
    const verb = how === 'submitted' ? 'Submitted' : 'Going on with';
    this.line(`${verb} workload ${metadata.name} of team ${metadata.namespace} in queue ${spec.queue}`);
  }

  changed(workload: Workload): void {
    const { progress } = workload.status;
    this.tellState(workload);
    if (progress === undefined) return;
    for (const epoch of progress.epochs.filter((one) => one.epoch > this.epochTold)) {
      this.line(epochLine(epoch, workload));
      this.epochTold = epoch.epoch;
    }
    if (this.screen.isTerminal && progress.phase === 'training') this.bar(workload);
  }

  /** `places`: where the report can be read. */
  succeeded(workload: Workload, report: TrainingReport, places: readonly string[]): void {
    this.changed(workload);
    this.line('');
    this.line('Confusion matrix of the test rows (a line an actual class, a column a predicted one)');
    for (const line of confusionLines(report.classes, report.confusion)) this.line(line);
    this.line('');
    const { accuracy = Number.NaN, ...more } = report.test;
    const names = Object.keys(more).sort();
    this.line(names.map((name) => `${metricTitle(name)} ${score(name, more[name] ?? Number.NaN)}`).join('  '));
    this.line(`Test accuracy: ${score('accuracy', accuracy)}`);
    this.line('');
    for (const place of places) this.line(`Report: ${place}`);
    this.line('');
  }

  ended({ metadata, status }: Workload): void {
    const why = status.message === '' ? status.reason : status.message;
    this.line(`Workload ${metadata.name} ${status.state}: ${why}`);
  }

  line(text: string): void {
    if (this.isBarShown) this.screen.write(CLEAR_LINE);
    this.isBarShown = false;
    this.screen.write(text === '' ? '\n' : `  ${text}\n`);
  }

  private tellState({ status }: Workload): void {
    const state = stateLine(status);
    if (state !== undefined && state !== this.stateTold) this.line(state);
    this.stateTold = state ?? this.stateTold;
  }

  private bar({ status }: Workload): void {
    const { step, stepsTotal, samplesPerSecond = 0, remainingSeconds } = status.progress ?? { step: 0, stepsTotal: 0 };
    const share = stepsTotal === 0 ? 0 : step / stepsTotal;
    const full = Math.round(share * BAR_WIDTH);
    const left = remainingSeconds === undefined ? '' : `  ${duration(remainingSeconds)} left`;
    const bar = `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${String(Math.round(share * 100)).padStart(3)} %`;
    this.screen.write(`${CLEAR_LINE}  ${bar}  ${count(samplesPerSecond)} samples/s${left}`);
    this.isBarShown = true;
  }
}

function stateLine({ state, message, pods, incarnation }: Workload['status']): string | undefined {
  switch (state) {
    case 'pending':
      return message === '' ? undefined : `Waiting: ${message}`;
    case 'starting':
    case 'running': {
      const seats = pods.map(({ node, slots }) => `${node} slot ${slots.join(', ')}`).join('; ');
      const again = incarnation > 1 ? `, incarnation ${incarnation}` : '';
      return `Placed on ${seats}${again}`;
    }
    case 'evicting':
      return message === '' ? 'Leaving its node' : `Leaving its node: ${message}`;
    case 'succeeded':
    case 'failed':
    case 'cancelled':
      return undefined;
  }
}

function epochLine({ epoch, metrics }: Epoch, { status }: Workload): string {
  const told = Object.entries(metrics).map(([name, value]) => `${name} ${score(name, value)}`);
  const { samplesPerSecond, remainingSeconds = 0 } = status.progress ?? {};
  const speed = samplesPerSecond === undefined ? [] : [`${count(samplesPerSecond)} samples/s`];
  const left = remainingSeconds > 0 ? [`${duration(remainingSeconds)} left`] : [];
  return [`epoch ${String(epoch).padStart(2)}`, ...told, ...speed, ...left].join('  ');
}
