import { z } from 'zod';
import type { HardwareCatalogue } from '../core/fleet/index.js';
import { withRules } from '../documents/with-rules.js';
import { fleetFileSchema, type FleetFile } from '../fleet-file/fleet.schema.js';
import { PolicyFileSchema } from '../policy-file/policy-file.schema.js';
import { ScenarioEventSchema } from './event.schema.js';
import { ExpectationSchema } from './expectation.schema.js';
import { ScenarioQueueSchema } from './queue.schema.js';
import { scenarioMistakes } from './scenario-mistakes.js';
import { NOTHING, soundParts } from './sound-parts.js';
import { ScenarioWorkloadSchema } from './workload.schema.js';

const SCENARIOS_MAX = 10_000;
const STABLE_ROUNDS = 5;

/** A policy file; nobody asks for the version of one that is played once. */
const PolicySchema = PolicyFileSchema.extend({ version: PolicyFileSchema.shape.version.default('scenario') });

function shapeWith(fleet: z.ZodType<FleetFile>) {
  return z.strictObject({
    name: z.string().min(1).max(300),
    tags: z.array(z.string().min(1).max(63)).default([]),
    policy: PolicySchema.prefault({}),
    fleet,
    queues: z.array(ScenarioQueueSchema).min(1),
    workloads: z.array(ScenarioWorkloadSchema).default([]),
    events: z.array(ScenarioEventSchema).default([]),
    expect: z.array(ExpectationSchema).min(1),
    /** After each check so many further rounds must change nothing. */
    stableRounds: z.int().min(0).max(1000).default(STABLE_ROUNDS),
    /** Whether the laws of scheduling are checked after each step. */
    invariants: z.boolean().default(true),
  });
}
export type Scenario = z.infer<ReturnType<typeof shapeWith>>;

/** One story: a fleet, queues, workloads, what happens, and what must be true when. */
export function scenarioSchema(catalogue: HardwareCatalogue): z.ZodType<Scenario> {
  const fleet = fleetFileSchema(catalogue);
  return withRules(shapeWith(fleet), (scenario, raw) =>
    scenarioMistakes(scenario === undefined ? soundParts(raw, fleet) : { ...scenario, unsound: NOTHING }, catalogue),
  );
}

/** Several of them in one file. */
export function scenarioListSchema(
  catalogue: HardwareCatalogue,
): z.ZodType<{ readonly scenarios: readonly Scenario[] }> {
  return z.strictObject({ scenarios: z.array(scenarioSchema(catalogue)).min(1).max(SCENARIOS_MAX) });
}
