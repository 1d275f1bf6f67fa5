import { z } from 'zod';
import { tpuSlice, type HardwareCatalogue } from '../core/fleet/index.js';
import { isQuantity } from '../documents/quantity.js';
import { withRules, type Mistake } from '../documents/with-rules.js';

/**
 * The fleet file: what virtual nodes there are. It is the `fleet:` block of a scenario. Besides its fields, a node has
 * its domain at each level of the file but `host`, e.g. `rack: r1`.
 */
export const NODES_MAX = 10_000;

export const DEFAULT_MODEL = 'gpu';
const ACCELERATORS_DEFAULT = 8;
/** A slot is a row of the ledger; no machine has more devices than this. */
const ACCELERATORS_MAX = 1024;
const MODELS_MAX = 16;
export const HOST_LEVEL = 'host';
export const SLICE_LEVEL = 'slice';

const LevelSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/)
  .describe('the name of a level: lower-case letters, digits and "-", e.g. rack');
const DomainSchema = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
const NodeNameSchema = z
  .string()
  .max(200)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/)
  .describe('a DNS name: lower-case letters, digits, "-" and ".", e.g. gpu-a');
export const QuantitySchema = z
  .union([z.string(), z.number()])
  .refine(isQuantity)
  .describe('a quantity as Kubernetes writes it, e.g. 500m, 96 or 64Gi');

export const TAINT = /^([^=:\s]{1,317})(?:=([^=:\s]{0,63}))?:(NoSchedule|PreferNoSchedule|NoExecute)$/;

const AcceleratorsSchema = z.strictObject({
  model: z.string().min(1).max(63).default(DEFAULT_MODEL),
  count: z.int().min(0).max(ACCELERATORS_MAX).default(ACCELERATORS_DEFAULT),
  memory: QuantitySchema.optional(),
});

export const FleetNodeSchema = z
  .object({
    name: NodeNameSchema,
    /** Makes `name-0`, `name-1` and so on; without it the name is used as it is. */
    count: z.int().min(1).max(NODES_MAX).optional(),
    /** `count: 0` is a node without devices; a list where a node has several models. */
    accelerators: z
      .union([AcceleratorsSchema, z.array(AcceleratorsSchema).max(MODELS_MAX)])
      .refine((entries) => sumOf([entries].flat()) <= ACCELERATORS_MAX, `has more than ${ACCELERATORS_MAX} devices`)
      .optional(),
    /** The hosts of a TPU slice, with the chips that each has by the catalogue. */
    slice: z.strictObject({ model: z.string(), topology: z.string() }).optional(),
    cpu: QuantitySchema.default(96),
    memory: QuantitySchema.default('1Ti'),
    labels: z.record(z.string().min(1).max(317), z.string().max(63)).default({}),
    taints: z.array(z.string().regex(TAINT).describe('a taint, e.g. key=value:NoSchedule')).max(64).default([]),
  })
  .catchall(z.unknown());
export type FleetFileNode = z.infer<typeof FleetNodeSchema>;

function sumOf(entries: readonly { readonly count: number }[]): number {
  return entries.reduce((sum, { count }) => sum + count, 0);
}

const FIELDS: ReadonlySet<string> = new Set(Object.keys(FleetNodeSchema.shape));

const LevelsSchema = z
  .array(LevelSchema)
  .min(1)
  .max(8)
  .refine((levels) => levels.at(-1) === HOST_LEVEL, 'must end with host, the innermost level')
  .refine((levels) => new Set(levels).size === levels.length, 'names a level twice');

const FleetFileSchema = z.strictObject({
  /** Outermost first. By default rack and host, with slice between them when the file has slices. */
  levels: LevelsSchema.optional(),
  nodes: z.array(FleetNodeSchema).min(1).max(NODES_MAX),
});
export type FleetFile = z.infer<typeof FleetFileSchema>;

/** The schema with the rules that look at more than one field; legal slices are those of the catalogue. */
export function fleetFileSchema(catalogue: HardwareCatalogue): z.ZodType<FleetFile> {
  return withRules(FleetFileSchema, (file, raw) =>
    fleetMistakes(
      file === undefined ? soundPartsOf(raw) : { levels: file.levels, nodes: [...file.nodes.entries()] },
      catalogue,
    ),
  );
}

/** What of a fleet is right in itself, its nodes with their places in the file. */
interface SoundParts {
  readonly levels: FleetFile['levels'];
  readonly nodes: readonly (readonly [number, FleetFileNode])[];
}

function soundPartsOf(raw: unknown): SoundParts {
  const { levels, nodes = [] } = RawFleetSchema.safeParse(raw).data ?? {};
  return {
    levels: z.array(LevelSchema).safeParse(levels).data,
    nodes: nodes.flatMap((node, index) => {
      const { data } = FleetNodeSchema.safeParse(node);
      return data === undefined ? [] : [[index, data] as const];
    }),
  };
}

const RawFleetSchema = z.object({ levels: z.unknown().optional(), nodes: z.array(z.unknown()).catch([]) });

function fleetMistakes({ levels, nodes }: SoundParts, catalogue: HardwareCatalogue): readonly Mistake[] {
  const file = { levels, nodes: nodes.map(([, node]) => node) };
  const ofNodes = nodes.flatMap(([index, node]) =>
    nodeMistakes(node, levelsOf(file), catalogue).map(({ path, message }) => ({
      path: ['nodes', index, ...path],
      message,
    })),
  );
  return [...levelMistakes(file), ...nameMistakes(nodes, catalogue), ...ofNodes];
}

export function levelsOf({ levels, nodes }: FleetFile): readonly string[] {
  if (levels !== undefined) return levels;
  return nodes.some(({ slice }) => slice !== undefined) ? ['rack', SLICE_LEVEL, HOST_LEVEL] : ['rack', HOST_LEVEL];
}

/** The names that an entry stands for; as an illegal slice, it stands for itself. */
export function namesOf({ name, count, slice }: FleetFileNode, catalogue: HardwareCatalogue): readonly string[] {
  const found = slice === undefined ? undefined : tpuSlice(catalogue, slice.model, slice.topology);
  const hosts = found?.kind === 'slice' ? found.hosts : count;
  return hosts === undefined ? [name] : Array.from({ length: hosts }, (_, index) => `${name}-${index}`);
}

/** The domain of a node at a level; undefined: in none. */
export function domainOf(node: FleetFileNode, level: string): string | undefined {
  const domain = DomainSchema.safeParse(FIELDS.has(level) ? undefined : node[level]);
  return domain.success ? domain.data : undefined;
}

function levelMistakes(file: FleetFile): Mistake[] {
  const hasSlices = file.nodes.some(({ slice }) => slice !== undefined);
  if (!hasSlices || levelsOf(file).includes(SLICE_LEVEL)) return [];
  return [{ path: ['levels'], message: `must name the level ${SLICE_LEVEL}: the file has slices` }];
}

/** What is wrong with one entry, in a fleet of these levels. */
export function nodeMistakes(node: FleetFileNode, levels: readonly string[], catalogue: HardwareCatalogue): Mistake[] {
  const mistakes: Mistake[] = [];
  const domains = levels.filter((level) => level !== HOST_LEVEL && level !== SLICE_LEVEL);
  for (const key of Object.keys(node).filter((one) => !FIELDS.has(one))) {
    if (!domains.includes(key)) {
      mistakes.push({ path: [key], message: `is not a known field, nor a level of this file (${domains.join(', ')})` });
    } else if (domainOf(node, key) === undefined) {
      mistakes.push({ path: [key], message: 'must be the name of a domain: letters, digits, "-", "_" and "."' });
    }
  }
  if (node.slice === undefined) return mistakes;
  for (const key of ['count', 'accelerators'] as const) {
    if (node[key] !== undefined) mistakes.push({ path: [key], message: 'does not go with slice, which says it' });
  }
  const slice = tpuSlice(catalogue, node.slice.model, node.slice.topology);
  if (slice.kind === 'unknown-model') {
    mistakes.push({
      path: ['slice', 'model'],
      message: `is ${node.slice.model}, but must be one of ${slice.known.join(', ')}`,
    });
  } else if (slice.kind === 'unknown-topology') {
    mistakes.push({ path: ['slice', 'topology'], message: topologyMessage(node.slice.model, slice.known) });
  }
  return mistakes;
}

const EXAMPLES = 8;

function topologyMessage(model: string, known: readonly string[]): string {
  const more = known.length > EXAMPLES ? `, … (${known.length} in all)` : '';
  return `is no slice of ${model}; these are: ${known.slice(0, EXAMPLES).join(', ')}${more}`;
}

function nameMistakes(nodes: SoundParts['nodes'], catalogue: HardwareCatalogue): Mistake[] {
  const mistakes: Mistake[] = [];
  const seen = new Set<string>();
  for (const [index, node] of nodes) {
    const names = namesOf(node, catalogue);
    const twice = names.find((name) => seen.has(name));
    if (twice !== undefined)
      mistakes.push({ path: ['nodes', index, 'name'], message: `makes node ${twice} a second time` });
    for (const name of names) seen.add(name);
    if (seen.size > NODES_MAX) {
      return [...mistakes, { path: ['nodes'], message: `makes more than ${NODES_MAX} nodes` }];
    }
  }
  return mistakes;
}
