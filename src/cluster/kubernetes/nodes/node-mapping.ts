import { z } from 'zod';

const LevelSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/)
  .describe('the name of a level: lower-case letters, digits and "-", e.g. rack');
const LabelSchema = z
  .string()
  .regex(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
  .max(317)
  .describe('the key of a label, e.g. topology.kubernetes.io/zone');
/** `{resource}` stands for the name of the resource. */
const LabelPatternSchema = z
  .string()
  .max(317)
  .regex(/^[A-Za-z0-9{][-A-Za-z0-9_./{}]*$/)
  .describe('the key of a label, in which {resource} stands for the name of the resource');
const ResourceSchema = z
  .string()
  .max(317)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9][-A-Za-z0-9_.]*\*?$/)
  .describe('an extended resource, e.g. nvidia.com/gpu; one that ends with * stands for all that begin so');

const AcceleratorSourceSchema = z.strictObject({
  resource: ResourceSchema,
  /** Whose value, in lower case, is the model; a node without the label has the name of the resource as its model. */
  model: LabelPatternSchema.optional(),
  /** Whose value is the memory of one device: MiB, or a quantity with its unit. */
  memory: LabelPatternSchema.optional(),
  /** Whose value says as how many each device is counted, where devices are shared; absent: as one. */
  replicas: LabelPatternSchema.optional(),
});
export type AcceleratorSource = z.output<typeof AcceleratorSourceSchema>;

const TOPOLOGY_DEFAULT = [
  { level: 'zone', label: 'topology.kubernetes.io/zone' },
  { level: 'rack', label: 'topology.berth.dev/rack' },
  // On GKE the hosts of a TPU slice are one node pool.
  { level: 'slice', label: 'cloud.google.com/gke-nodepool' },
];

const NVIDIA = {
  model: 'nvidia.com/gpu.product',
  memory: 'nvidia.com/gpu.memory',
  replicas: 'nvidia.com/gpu.replicas',
};
const ACCELERATORS_DEFAULT = [
  { resource: 'nvidia.com/gpu', ...NVIDIA },
  { resource: 'nvidia.com/gpu.shared', ...NVIDIA },
  { resource: 'nvidia.com/mig-*', model: '{resource}.product', memory: '{resource}.memory' },
  { resource: 'google.com/tpu', model: 'cloud.google.com/gke-tpu-accelerator' },
  { resource: 'amd.com/gpu', model: 'amd.com/gpu.product-name', memory: 'amd.com/gpu.vram' },
];

/** Where the labels and resources of a Kubernetes node say what Berth wants to know of it. */
export const NodeMappingSchema = z.strictObject({
  /** Outermost first; the node itself, `host`, is the innermost and is not named. */
  topology: z
    .array(z.strictObject({ level: LevelSchema, label: LabelSchema }))
    .max(7)
    .refine((levels) => new Set(levels.map(({ level }) => level)).size === levels.length, 'names a level twice')
    .refine((levels) => levels.every(({ level }) => level !== 'host'), 'must not name host: that is the node itself')
    .default(TOPOLOGY_DEFAULT),
  /** The first entry that fits a resource holds; resources that no entry fits are not read. */
  accelerators: z.array(AcceleratorSourceSchema).max(64).default(ACCELERATORS_DEFAULT),
});
export type NodeMapping = z.output<typeof NodeMappingSchema>;

export const DEFAULT_NODE_MAPPING: NodeMapping = NodeMappingSchema.parse({});
