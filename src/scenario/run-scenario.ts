import type { Decision, Ms } from '../core/index.js';
import { Simulation, SimulationError } from '../core/simulation/index.js';
import { readCatalogue } from '../fleet-file/read-catalogue.js';
import { mismatches } from './check-expectation.js';
import { breaches, quotaExcess } from './check-laws.js';
import type { Expectation } from './expectation.schema.js';
import { ScenarioLog } from './scenario-log.js';
import type { Scenario } from './scenario.schema.js';
import { msOf } from './seconds.js';
import { storyOf } from './story-of.js';
import type { Happening } from './timeline.js';

export interface ScenarioFailure {
  readonly atSeconds: number;
  /** What is wrong, as a sentence or as the name of a value. */
  readonly what: string;
  readonly expected?: unknown;
  readonly actual?: unknown;
}

export interface ScenarioResult {
  readonly failures: readonly ScenarioFailure[];
  /** Simulated time at the end. */
  readonly endSeconds: number;
  /** All that was told and decided. */
  readonly history: readonly Happening[];
}

/** A scenario that is wrong in one place is often wrong in many; the first are enough. */
const FAILURES_MAX = 50;

/** Plays the scenario on a core of its own; `progress` hears the simulated time after each step. */
export function runScenario(scenario: Scenario, progress?: (atSeconds: number) => void): ScenarioResult {
  const run = new ScenarioRun(scenario, progress);
  return run.play();
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #log = new ScenarioLog();
  readonly #failures: ScenarioFailure[] = [];
  readonly #progress: ((atSeconds: number) => void) | undefined;
  #excessBefore: ReadonlyMap<string, number> = new Map();
  #evictionsSeen = { before: 0, atMs: -1, now: 0 };

  constructor(scenario: Scenario, progress: ((atSeconds: number) => void) | undefined) {
    this.#scenario = scenario;
    this.#progress = progress;
  }

  play(): ScenarioResult {
    let simulation: Simulation | undefined;
    try {
      const story = storyOf(this.#scenario, readCatalogue());
      simulation = new Simulation({
        runtimeMsOf: (workload) => story.runtimeMs.get(workload),
        watcher: {
          told: (input, atMs) => {
            this.#log.hear(input, atMs);
          },
          happened: () => {
            if (this.#scenario.invariants) this.#excessBefore = quotaExcess(this.#log);
          },
          decided: (decision, atMs) => {
            this.#log.decided(decision, atMs);
          },
          settled: (atMs) => {
            this.#progress?.(atMs / 1000);
            if (simulation !== undefined && this.#scenario.invariants) this.#checkLaws(simulation, story.levels);
          },
        },
      });
      for (const { atMs, input } of story.inputs) simulation.add(atMs, input);
      for (const expectation of inOrder(this.#scenario.expect)) {
        if (expectation.at === undefined) simulation.runToEnd();
        else simulation.runUntil(msOf(expectation.at));
        this.#check(simulation, expectation, story.levels);
        if (this.#failures.length >= FAILURES_MAX) break;
      }
    } catch (error) {
      this.#fail(simulation?.nowMs ?? 0, sentenceOf(error));
    }
    const { history } = this.#log;
    return { failures: this.#failures, endSeconds: (simulation?.nowMs ?? 0) / 1000, history };
  }

  #check(simulation: Simulation, expectation: Expectation, levels: readonly string[]): void {
    const evicted = this.#evictedSince(simulation.nowMs);
    const situation = { simulation, log: this.#log, levels, evicted };
    for (const { what, expected, actual } of mismatches(expectation, situation)) {
      this.#failures.push({ atSeconds: simulation.nowMs / 1000, what, expected, actual });
    }
    for (let round = 1; round <= this.#scenario.stableRounds; round++) {
      const decisions = simulation.round();
      if (decisions.length === 0) continue;
      this.#fail(simulation.nowMs, `round ${round} after rest still decides: ${decisions.map(wordsOf).join(', ')}`);
      return;
    }
  }

  /** Since the last check of an earlier time. */
  #evictedSince(nowMs: Ms): readonly string[] {
    const seen = this.#evictionsSeen;
    const { evictions } = this.#log;
    const before = nowMs > seen.atMs ? seen.now : seen.before;
    this.#evictionsSeen = { before, atMs: nowMs, now: evictions.length };
    return [...new Set(evictions.slice(before).map(({ workload }) => workload))].sort();
  }

  #checkLaws(simulation: Simulation, levels: readonly string[]): void {
    for (const breach of breaches(simulation, { log: this.#log, levels }, this.#excessBefore)) {
      if (this.#failures.length < FAILURES_MAX) this.#fail(simulation.nowMs, breach);
    }
  }

  #fail(atMs: Ms, what: string): void {
    this.#failures.push({ atSeconds: atMs / 1000, what });
  }
}

/** By time, those of one time as listed; the end last. */
function inOrder(expectations: readonly Expectation[]): readonly Expectation[] {
  return [...expectations].sort((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity));
}

function wordsOf({ kind, workload }: Decision): string {
  return `${kind} ${workload}`;
}

/** A story that cannot be told is a failed scenario; so is a core that breaks, and then the stack says where. */
function sentenceOf(error: unknown): string {
  if (error instanceof SimulationError) return error.what;
  if (error instanceof RangeError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
