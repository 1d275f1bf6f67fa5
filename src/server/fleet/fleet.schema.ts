import { z } from 'zod';
import { LabelsSchema, NodeNameSchema, pageOf } from '../names.schema.js';

export const NodeStateSchema = z.enum([
  'healthy',
  'suspect',
  'quarantined',
  'draining',
  'lost',
  'repairing',
  'validating',
  'retired',
]);

export const SlotSchema = z
  .strictObject({
    slot: z.int(),
    /** The model of the device; absent: the node no longer has it. */
    model: z.string().optional(),
    /** Thousandths of the device that are claimed; the rest is free. */
    claimedMilli: z.int(),
    holders: z.array(
      z.strictObject({
        team: z.string(),
        milli: z.int(),
        /** Which workload and pod it is, where the caller may read the workloads of that team. */
        workload: z.uuid().optional(),
        workloadName: z.string().optional(),
        pod: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Slot' });
export type Slot = z.infer<typeof SlotSchema>;

export const NodeSchema = z
  .strictObject({
    name: NodeNameSchema,
    state: NodeStateSchema,
    cause: z.string(),
    /** Cordoned. */
    unschedulable: z.boolean(),
    /** Domain by level, e.g. `{rack: "r1"}`. */
    topology: z.record(z.string(), z.string()),
    labels: LabelsSchema,
    /** Of its devices, when all are of one. */
    model: z.string().optional(),
    /** Of its devices, each once, in the order of the slots. */
    models: z.array(z.string()),
    slots: z.array(SlotSchema),
    cpuMilli: z.int(),
    cpuClaimed: z.int(),
    memoryMib: z.int(),
    memoryClaimed: z.int(),
    pods: z.int(),
  })
  .meta({ id: 'Node' });
export type Node = z.infer<typeof NodeSchema>;

export const NodePageSchema = pageOf(NodeSchema).meta({ id: 'NodePage' });
