import { z } from 'zod';
import { FleetNodeSchema } from '../fleet-file/fleet.schema.js';
import { QUEUE_KEYS } from './queue.schema.js';
import { SecondsSchema } from './seconds.js';
import { ScenarioWorkloadSchema } from './workload.schema.js';

const ACTIONS = {
  submit: ScenarioWorkloadSchema.optional(),
  finish: z.string().optional(),
  cancel: z.string().optional(),
  release: z.string().optional(),
  workload: z.string().optional(),
  node: z.string().optional(),
  addNode: FleetNodeSchema.optional(),
  removeNode: z.string().optional(),
  queue: z.string().optional(),
};
type Action = keyof typeof ACTIONS;

/** What goes with an action, besides `at`. */
const DETAILS: Readonly<Partial<Record<Action, readonly string[]>>> = {
  workload: ['priority'],
  node: ['state'],
  queue: Object.keys(QUEUE_KEYS),
};

/** One thing that happens at a time. */
export const ScenarioEventSchema = z
  .strictObject({
    at: SecondsSchema,
    ...ACTIONS,
    priority: z.int().optional(),
    state: z
      .enum(['healthy', 'suspect', 'quarantined', 'draining', 'lost', 'repairing', 'validating', 'retired'])
      .optional(),
    ...QUEUE_KEYS,
  })
  .superRefine((event, context) => {
    const given = Object.keys(event).filter((key) => key !== 'at' && event[key as keyof typeof event] !== undefined);
    const [action, ...more] = given.filter((key): key is Action => key in ACTIONS);
    const report = (key: string | undefined, message: string): void => {
      context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message });
    };
    if (action === undefined) {
      report(undefined, `must have one of ${Object.keys(ACTIONS).join(', ')}`);
      return;
    }
    for (const other of more) report(other, `does not go with ${action}: an event is one thing`);
    const details = DETAILS[action] ?? [];
    for (const key of given.filter((one) => !(one in ACTIONS) && !details.includes(one))) {
      report(key, `does not go with ${action}`);
    }
    const isBare = details.length > 0 && !given.some((key) => details.includes(key));
    if (isBare) report(action, `needs ${details.join(' or ')}`);
  });
export type ScenarioEvent = z.infer<typeof ScenarioEventSchema>;
