import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuTime, processCpuTime } from './core/cpu-time.js';
import type { Figure } from './core/figure.js';
import { fill, gangs, gangsAtLargest, largeGang, nodeEvents } from './core/placement-cases.js';
import { freedRacks, reclaimGangs, reclaimLargeGang, reclaimSingles } from './core/reclaim-cases.js';
import { depth, memory, restore } from './core/scale-cases.js';

/**
 * What the core's decisions cost: `npm run bench -- core [--json FILE] [--only WORD] [--profile]`. Fleets have three
 * topology levels, four classes of nodes, and are 70 % full with 50 shapes unless the case says otherwise. Exits with 1
 * when a figure is above its bound in `core.range.json`, with 2 when the arguments are wrong. `--profile` prints how often what was done, which does not
 * depend on the machine.
 */

interface Range {
  readonly goal: number;
  readonly usual?: readonly [number, number];
  readonly most: number;
}

const BAD_ARGUMENTS = 2;

const CASES: Readonly<Record<string, () => readonly Figure[]>> = {
  gangs,
  gangsAtLargest,
  fill,
  largeGang,
  reclaimSingles,
  reclaimLargeGang,
  reclaimGangs,
  freedRacks,
  depth,
  nodeEvents,
  restore,
  memory: memoryOfChild,
};

/** In a process of its own, where nothing else is on the heap and the garbage can be collected. */
function memoryOfChild(): readonly Figure[] {
  const file = fileURLToPath(import.meta.url);
  const args = [...process.execArgv, '--expose-gc', file, '--memory-alone'];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`the measurement of memory ended with ${status}`);
  return JSON.parse(stdout) as readonly Figure[];
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      json: { type: 'string' },
      only: { type: 'string' },
      profile: { type: 'boolean', default: false },
      'memory-alone': { type: 'boolean', default: false },
    },
  });
  const { only } = values;
  if (only !== undefined && !Object.hasOwn(CASES, only)) {
    throw new Error(`No case ${only}; there are ${Object.keys(CASES).join(', ')}`);
  }
  return values;
}

function argumentsOrExit(): ReturnType<typeof readArguments> {
  try {
    return readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(BAD_ARGUMENTS);
  }
}

function main(): void {
  const values = argumentsOrExit();
  if (values['memory-alone']) {
    console.log(JSON.stringify(memory()));
    return;
  }
  const ranges = JSON.parse(readFileSync(new URL('core.range.json', import.meta.url), 'utf8')) as {
    readonly cases: Readonly<Record<string, Range>>;
  };
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`);
  const figures: Figure[] = [];
  for (const [name, run] of Object.entries(CASES)) {
    if (values.only !== undefined && name !== values.only) continue;
    const before = { thread: cpuTime(), process: processCpuTime() };
    for (const figure of run()) {
      print(figure, ranges.cases[figure.name], values.profile ? 'with-work' : 'short');
      figures.push(figure);
    }
    if (values.profile) printThreads(before);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}

/** Of the whole case, with its preparation: what the deciding thread took, and what all threads together. */
function printThreads(before: { readonly thread: number; readonly process: number }): void {
  const thread = Math.round(cpuTime() - before.thread);
  const all = Math.round(processCpuTime() - before.process);
  console.log(`    case with its preparation: ${thread} ms of CPU here, ${all} ms of all threads`);
}

function print({ name, value, unit, work }: Figure, range: Range | undefined, how: 'short' | 'with-work'): void {
  const isAbove = range !== undefined && value > range.most;
  const verdict = range === undefined ? '' : isAbove ? `above ${range.most} ${unit}` : 'ok';
  const goal = range === undefined ? '' : `goal ${range.goal} ${unit}, ratio ${(value / range.goal).toFixed(2)}`;
  console.log(`${name.padEnd(60)} ${value.toFixed(3).padStart(11)} ${unit.padEnd(3)}  ${goal.padEnd(30)} ${verdict}`);
  if (how === 'with-work' && work !== undefined) {
    const counts = Object.entries(work).map(([what, count]) => `${what} ${Math.round(count * 10) / 10}`);
    console.log(`    ${counts.join(', ')}`);
  }
  if (isAbove) process.exitCode = 1;
}

main();
