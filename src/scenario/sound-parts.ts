import { z } from 'zod';
import type { FleetFile } from '../fleet-file/fleet.schema.js';
import { ScenarioEventSchema } from './event.schema.js';
import { ExpectationSchema } from './expectation.schema.js';
import type { Named, Unsound } from './known-names.js';
import { ScenarioQueueSchema } from './queue.schema.js';
import { ScenarioWorkloadSchema } from './workload.schema.js';

export const NOTHING: Unsound = { node: [], queue: [], workload: [] };

const Parts = z.object({
  fleet: z.unknown().optional(),
  queues: z.unknown().optional(),
  workloads: z.unknown().default([]),
  events: z.unknown().default([]),
  expect: z.unknown().optional(),
});

/** What is right in itself of a scenario with mistakes: they must not hide those that come of names. */
export function soundParts(file: unknown, fleetSchema: z.ZodType<FleetFile>): Named {
  const raw = Parts.safeParse(file).data ?? Parts.parse({});
  const fleet = soundOrNothing(fleetSchema, raw.fleet);
  const queues = soundEntries(ScenarioQueueSchema, raw.queues);
  const workloads = soundEntries(ScenarioWorkloadSchema, raw.workloads);
  const events = soundEntries(ScenarioEventSchema, raw.events);
  const happening = unsoundOf(raw.events, events).map((event) => EventShape.safeParse(event).data);
  return {
    fleet,
    queues,
    workloads,
    events,
    expect: soundEntries(ExpectationSchema, raw.expect),
    unsound: {
      node: fleet === undefined || happening.some((event) => event?.addNode !== undefined) ? [undefined] : [],
      queue: unsoundOf(raw.queues, queues).map(nameIn),
      workload: [
        ...unsoundOf(raw.workloads, workloads).map(nameIn),
        ...happening.flatMap((event) => (event?.submit === undefined ? [] : [nameIn(event.submit)])),
      ],
    },
  };
}

const EventShape = z.object({ submit: z.unknown().optional(), addNode: z.unknown().optional() });
const NameShape = z.object({ name: z.string() });

function soundEntries<T>(schema: z.ZodType<T>, entries: unknown): readonly (T | undefined)[] {
  return Array.isArray(entries) ? entries.map((entry) => soundOrNothing(schema, entry)) : [undefined];
}

function soundOrNothing<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

function unsoundOf(entries: unknown, sound: readonly unknown[]): readonly unknown[] {
  const all: readonly unknown[] = Array.isArray(entries) ? entries : [entries];
  return all.filter((_, index) => sound[index] === undefined);
}

function nameIn(value: unknown): string | undefined {
  return NameShape.safeParse(value).data?.name;
}
