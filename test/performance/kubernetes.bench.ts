import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { isRigBuilt } from '../kubernetes/rig/binaries.mjs';
import { Arena, LOADS, SCHEDULERS, type Outcome, type SchedulerName } from './kubernetes/contest.js';
import { measureRestart, type Restart } from './kubernetes/restart.js';

/**
 * Berth and kube-scheduler in turn, on the same API server, nodes and pods, without limits of their clients:
 * `npm run bench -- kubernetes [--nodes 100,1000] [--json FILE]`. All pods are there before the scheduler starts. With
 * `--restart PODS` instead how long Berth takes to the first binding after its death with so many pods bound. Needs the
 * programs of the rig; exits with 2 when they are not built or the arguments are wrong.
 */
const WRONG = 2;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { nodes: { type: 'string', default: '100,1000' }, restart: { type: 'string' }, json: { type: 'string' } },
  });
  const sizes = values.nodes.split(',').map(Number);
  const pods = values.restart === undefined ? undefined : Number(values.restart);
  if (![...sizes, pods ?? 1].every((count) => Number.isInteger(count) && count > 0)) {
    fail('--nodes and --restart: whole numbers above 0');
    return;
  }
  if (!isRigBuilt()) {
    fail('The control plane is not built: npm run rig:build.');
    return;
  }
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}\n`);
  const figures = pods === undefined ? await race(sizes) : await restart(sizes, pods);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}

async function race(sizes: readonly number[]): Promise<readonly Outcome[]> {
  console.log(
    row(['nodes', 'load', 'scheduler', 'pods', 'bound/s', 'first ms', 'last ms', 'CPU ms/pod', 'MiB', 'writes/pod']),
  );
  const outcomes: Outcome[] = [];
  for (const nodes of sizes) {
    const arena = await Arena.open(nodes);
    try {
      for (const load of LOADS) {
        const rates = new Map<SchedulerName, number>();
        // Whoever goes second finds an API server that is warm: each goes first every other time.
        for (const scheduler of outcomes.length % 4 === 0 ? SCHEDULERS : [...SCHEDULERS].reverse()) {
          const outcome = await arena.run(scheduler, load);
          outcomes.push(outcome);
          rates.set(scheduler, outcome.boundPerSecond);
          print(outcome);
        }
        const ratio = (rates.get('berth') ?? 0) / (rates.get('kube-scheduler') ?? 1);
        console.log(`${' '.repeat(8)}berth binds ${ratio.toFixed(2)} times as many a second\n`);
      }
    } finally {
      await arena.close();
    }
  }
  return outcomes;
}

async function restart(sizes: readonly number[], pods: number): Promise<readonly Restart[]> {
  console.log(row(['nodes', 'pods', 'first bind ms', 'MiB', 'database MiB']));
  const restarts: Restart[] = [];
  for (const nodes of sizes) {
    const measured = await measureRestart(nodes, pods);
    restarts.push(measured);
    const { firstBindMs, residentMib, databaseMib } = measured;
    console.log(row([nodes, pods, firstBindMs, residentMib, databaseMib].map((value) => value.toFixed(0))));
  }
  return restarts;
}

function print(outcome: Outcome): void {
  const { nodes, load, scheduler, pods, boundPerSecond, firstBindMs, lastBindMs } = outcome;
  const { cpuMsPerPod, residentMib, writesPerPod } = outcome;
  const times = [boundPerSecond, firstBindMs, lastBindMs].map((value) => value.toFixed(0));
  const costs = [cpuMsPerPod.toFixed(2), residentMib.toFixed(0), writesPerPod.toFixed(2)];
  console.log(row([String(nodes), load, scheduler, String(pods), ...times, ...costs]));
}

function row(cells: readonly string[]): string {
  const widths = [6, 16, 16];
  return cells.map((cell, index) => (index < 3 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(10))).join(' ');
}

function fail(why: string): void {
  process.stderr.write(`${why}\n`);
  process.exitCode = WRONG;
}

await main();
