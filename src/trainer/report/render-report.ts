import { REPORT_HTML_BYTES_MAX, type TrainingReport } from '../contract.js';
import { metricsOf, type Job } from '../job.schema.js';
import { confusionTable } from './confusion-table.js';
import { count, duration, percent, score, metricTitle } from './format.js';
import { html, trusted, type Html } from './html.js';
import { drawLearningCurve } from './learning-curve.js';
import { REPORT_STYLE } from './report-style.js';
import { tableCard } from './table-card.js';

export interface ReportPage {
  readonly report: TrainingReport;
  readonly job: Job;
  readonly inputCount: number;
  /** Why training ended. */
  readonly ending: string;
  /** On the test rows, or on the validation rows where there is no test file. */
  readonly scores: Readonly<Record<string, number>>;
}

const TRAIN_COLOUR = '#2563eb';
const VALIDATION_COLOUR = '#ea580c';

/** The whole report as one HTML file that needs no script and loads nothing. */
export function renderReport(page: ReportPage): string {
  const { report, job } = page;
  const scored = job.data.test === undefined ? 'validation' : 'test';
  const body = html`<header>
      <p class="eyebrow">Berth training report</p>
      <h1>${report.name}</h1>
      <p class="lead">${summary(page)}</p>
    </header>
    <section class="tiles">${tiles(page, scored)}</section>
    <section class="cards">
      ${curves(page)} ${confusionTable(report, scored)} ${modelTable(page)} ${jobTable(page)} ${epochTable(report)}
      ${cleaningTable(report)}
    </section>
    <footer>Made by berth train, TensorFlow.js ${report.backend.version}, backend ${report.backend.name}.</footer>`;
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html`${report.name}`.markup} – training report</title>
<style>${REPORT_STYLE}</style>
</head>
<body><main>${body.markup}</main></body>
</html>
`;
  if (Buffer.byteLength(text) > REPORT_HTML_BYTES_MAX)
    throw new Error(`report.html is over ${REPORT_HTML_BYTES_MAX} bytes`);
  return text;
}

function summary({ report, job, ending }: ReportPage): string {
  const epochs = `${count(report.epochs.at(-1)?.epoch ?? 0)} of ${count(job.train.epochs)} epochs`;
  const resumed = report.resumedFromStep === undefined ? '' : `, resumed from step ${count(report.resumedFromStep)}`;
  return `${epochs} in ${duration(report.seconds)}${resumed}: ${ending}.`;
}

function tiles({ job, scores }: ReportPage, scored: string): readonly Html[] {
  const shown = [...metricsOf(job), 'loss'].flatMap((name) => {
    const value = scores[name];
    return value === undefined ? [] : [{ label: metricTitle(name), value: score(name, value) }];
  });
  const [first, ...more] = shown;
  if (first === undefined) return [];
  return [
    html`<div class="tile main">
      <div class="label">${metricTitle(scored)} ${first.label.toLowerCase()}</div>
      <div class="value">${first.value}</div>
    </div>`,
    ...more.map(
      ({ label, value }) =>
        html`<div class="tile">
          <div class="label">${label}</div>
          <div class="value">${value}</div>
        </div>`,
    ),
  ];
}

function curves({ report, job }: ReportPage): readonly Html[] {
  const hits = job.target.type === 'number' ? 'mae' : 'accuracy';
  if (report.epochs.length === 0) return [];
  return [hits, 'loss'].map((metric) => {
    const svg = drawLearningCurve({
      epochs: report.epochs,
      format: (value) => (metric === 'accuracy' ? percent(value) : String(Number(value.toPrecision(4)))),
      curves: [
        { name: 'training', metric, colour: TRAIN_COLOUR, line: 'solid' },
        ...(report.rows.validation > 0
          ? [{ name: 'validation', metric: `val_${metric}`, colour: VALIDATION_COLOUR, line: 'dashed' } as const]
          : []),
      ],
    });
    return html`<div class="card">
      <h2>${metricTitle(metric)} by epoch</h2>
      ${trusted(svg)}
    </div>`;
  });
}

function modelTable({ report, inputCount, job }: ReportPage): Html {
  const { optimizer, batchSize, schedule } = job.train;
  const decay = optimizer.type === 'adamw' ? `, weight decay ${optimizer.weightDecay}` : '';
  return factsTable('Model', [
    ['Inputs', `${count(inputCount)} from ${count(job.features.length)} features`],
    ...report.model.layers.map((layer, index) => [`Layer ${index + 1}`, layer] as const),
    ['Parameters', count(report.model.parameters)],
    ['Optimiser', `${optimizer.type}, learning rate ${optimizer.learningRate} (${schedule.type})${decay}`],
    ['Batch', `${count(batchSize)} rows`],
  ]);
}

function jobTable({ report, job }: ReportPage): Html {
  const { train, validation, test } = report.rows;
  const share = job.target.type === 'number' ? '' : ', same share of each class';
  return factsTable('Run', [
    ['Training rows', count(train)],
    ['Validation rows', validation === 0 ? 'none' : `${count(validation)} (held back${share})`],
    ['Test rows', test === 0 ? 'none' : count(test)],
    ['Target', `${job.target.name} (${job.target.type})`],
    ['Seed', String(report.seed)],
    ['Backend', `${report.backend.name}, TensorFlow.js ${report.backend.version}`],
    ['Devices', report.backend.devices],
    ['Time', duration(report.seconds)],
  ]);
}

function cleaningTable({ cleaning }: TrainingReport): Html {
  if (cleaning.length === 0)
    return html`<div class="card wide">
      <h2>Cleaning</h2>
      <p class="lead">Nothing was wanting.</p>
    </div>`;
  const rows = cleaning.map(
    ({ why, rows: affected, of }) =>
      html`<tr>
        <td>${why}</td>
        <td>${of}</td>
        <td class="number">${count(affected)}</td>
      </tr>`,
  );
  const heads = [html`<th>What was done</th>`, html`<th>Where</th>`, html`<th class="number">Rows</th>`];
  return tableCard('Cleaning', { heads, rows }, { card: 'card wide' });
}

/** More epochs than this are in `metrics.jsonl`; the page shows the last ones. */
const EPOCH_ROWS_MAX = 200;

function epochTable({ epochs }: TrainingReport): Html {
  const names = [...new Set(epochs.flatMap(({ metrics }) => Object.keys(metrics)))];
  const heads = names.map((name) => html`<th class="number">${name}</th>`);
  const rows = epochs.slice(-EPOCH_ROWS_MAX).map(({ epoch, metrics }) => {
    const cells = names.map((name) => html`<td class="number">${(metrics[name] ?? Number.NaN).toFixed(4)}</td>`);
    return html`<tr>
      <td>${epoch}</td>
      ${cells}
    </tr>`;
  });
  return tableCard('Epochs', { heads: [html`<th>Epoch</th>`, ...heads], rows }, { card: 'card wide' });
}

function factsTable(title: string, rows: readonly (readonly [string, string])[]): Html {
  const body = rows.map(
    ([name, value]) =>
      html`<tr>
        <th>${name}</th>
        <td>${value}</td>
      </tr>`,
  );
  return tableCard(title, { rows: body });
}
