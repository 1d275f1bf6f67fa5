import { readFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { formatProblems, type DocumentResult } from '../documents/yaml-document.js';
import { formatFailure } from '../scenario/format-failure.js';
import { readScenarioFile } from '../scenario/read-scenario-file.js';
import { runScenario, type ScenarioResult } from '../scenario/run-scenario.js';
import type { Scenario } from '../scenario/scenario.schema.js';
import { timelineOf } from '../scenario/timeline.js';
import { EXIT_CODE, UsageError } from './cli-error.js';
import { PIPE, formatTimeline, type Screen } from './format-timeline.js';
import { write } from './output.js';

interface RunFlags {
  readonly tag?: readonly string[];
  readonly timeline?: true;
  readonly json?: true;
}

interface FiledScenario {
  readonly file: string;
  readonly scenario: Scenario;
}

type FiledResult = DocumentResult<readonly FiledScenario[]> & { readonly file: string };

interface Outcome extends FiledScenario {
  readonly result: ScenarioResult;
  readonly tookMs: number;
}

/** A story that takes longer than this tells where it is, on a terminal. */
const PROGRESS_EVERY_MS = 1000;

export function addScenarioCommand(program: Command): void {
  const scenario = program.command('scenario').description('play made-up stories on the scheduler');
  scenario
    .command('run')
    .description('play the scenarios of these files, and say which of them hold')
    .argument('<files...>', 'scenario files')
    .option('--tag <tags>', 'only scenarios that have one of these tags: with commas, or the option again', addTags)
    .option('--timeline', 'also show what happened when')
    .addOption(new Option('--json', 'one document with all failures and decisions').conflicts('timeline'))
    .action(async (files: readonly string[], flags: RunFlags) => {
      await run(files, flags);
    });
}

async function run(files: readonly string[], { tag, timeline, json }: RunFlags): Promise<void> {
  const all = await readAll(files);
  const chosen = all.filter(({ scenario }) => tag === undefined || scenario.tags.some((one) => tag.includes(one)));
  if (chosen.length === 0) throw new UsageError(`No scenario has the tag ${tag?.join(' or ') ?? ''}.`);
  const outcomes: Outcome[] = [];
  for (const filed of chosen) {
    const outcome = play(filed);
    outcomes.push(outcome);
    if (json === undefined) write(formatOutcome(outcome));
    if (timeline !== undefined) write(`${formatTimeline(timelineOf(outcome.result.history), screen())}\n`);
  }
  const failed = outcomes.filter(({ result }) => result.failures.length > 0).length;
  if (json === undefined) write(formatSummary(outcomes, failed, all.length - chosen.length));
  else write(`${JSON.stringify({ scenarios: outcomes.map(detailsOf), failed }, undefined, 2)}\n`);
  if (failed > 0) process.exitCode = EXIT_CODE.failed;
}

/** Not one argument after another, because the next may be a file. */
function addTags(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((tag) => tag.trim())];
}

/** The scenarios of all files, or the mistakes of all of them. */
async function readAll(files: readonly string[]): Promise<readonly FiledScenario[]> {
  const read = await Promise.all(files.map(readScenarios));
  const wrong = read.flatMap((one) => (one.kind === 'invalid' ? [one] : []));
  const [first, ...more] = wrong;
  if (first === undefined) return read.flatMap((one) => (one.kind === 'valid' ? one.value : []));
  for (const { file, problems } of wrong) process.stderr.write(`${formatProblems(file, problems)}\n`);
  const count = wrong.reduce((sum, { problems }) => sum + problems.length, 0);
  const where = more.length === 0 ? `${first.file} has` : `${wrong.length} files have`;
  throw new UsageError(`${where} ${count} ${count === 1 ? 'mistake' : 'mistakes'}, so nothing was played.`);
}

async function readScenarios(file: string): Promise<FiledResult> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const result = readScenarioFile(text);
  if (result.kind === 'invalid') return { ...result, file };
  return { kind: 'valid', file, value: result.value.map((scenario) => ({ file, scenario })) };
}

function play({ file, scenario }: FiledScenario): Outcome {
  const startMs = performance.now();
  let saidMs = startMs;
  const result = runScenario(scenario, (atSeconds) => {
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs - saidMs < PROGRESS_EVERY_MS) return;
    saidMs = nowMs;
    process.stderr.write(`\r${scenario.name}: at ${atSeconds} s\u001B[K`);
  });
  if (saidMs > startMs) process.stderr.write('\r\u001B[K');
  return { file, scenario, result, tookMs: Math.round(performance.now() - startMs) };
}

function screen(): Screen {
  const { isTTY, columns } = process.stdout;
  return isTTY ? { columns, colors: process.env['NO_COLOR'] === undefined ? 'some' : 'none' } : PIPE;
}

function formatOutcome({ scenario, result, tookMs }: Outcome): string {
  const word = result.failures.length === 0 ? 'pass' : 'FAIL';
  const details = result.failures.map((failure) => `        ${formatFailure(failure)}\n`);
  return `${word}  ${scenario.name} (${tookMs} ms)\n${details.join('')}`;
}

function formatSummary(outcomes: readonly Outcome[], failed: number, leftOut: number): string {
  const tookMs = outcomes.reduce((sum, outcome) => sum + outcome.tookMs, 0);
  const others = leftOut === 0 ? '' : `, ${leftOut} without the tag`;
  return `${outcomes.length - failed} of ${outcomes.length} scenarios hold${others} (${(tookMs / 1000).toFixed(1)} s)\n`;
}

function detailsOf({ file, scenario, result, tookMs }: Outcome): object {
  const { failures, endSeconds, history } = result;
  const decisions = history.flatMap((one) =>
    one.kind === 'decided' ? [{ atMs: one.atMs, decision: one.decision }] : [],
  );
  const { name, tags } = scenario;
  return {
    file,
    name,
    tags,
    outcome: failures.length === 0 ? 'pass' : 'fail',
    tookMs,
    endSeconds,
    failures,
    decisions,
  };
}
