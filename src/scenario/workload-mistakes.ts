import { partitionsOf, type HardwareCatalogue } from '../core/fleet/index.js';
import type { KnownNames, Path } from './known-names.js';
import { modelsOf, type ScenarioPodSet, type ScenarioWorkload } from './workload.schema.js';

/** Names that the scenario does not have, and pods that do not run as many as they are. */
export function findWorkloadMistakes(
  known: KnownNames,
  path: Path,
  { workload, catalogue }: { readonly workload: ScenarioWorkload; readonly catalogue: HardwareCatalogue },
): void {
  for (const [index, set] of workload.pods.entries()) {
    const at = [...path, 'pods', index];
    for (const model of modelsOf(set)) {
      known.mustBeFlavor([...at, set.models === undefined ? 'model' : 'models'], model, 'model');
    }
    if (set.mig !== undefined) findPartitionMistakes(known, [...at, 'mig'], { pods: set, profile: set.mig, catalogue });
    if (set.topology !== undefined) known.mustBeLevel([...at, 'topology'], levelIn(set.topology));
  }
  findRunningMistakes(known, [...path, 'running'], workload);
}

function findPartitionMistakes(
  known: KnownNames,
  path: Path,
  ask: { readonly pods: ScenarioPodSet; readonly profile: string; readonly catalogue: HardwareCatalogue },
): void {
  const { pods, profile, catalogue } = ask;
  const models = modelsOf(pods);
  const profiles = models.flatMap((model) => partitionsOf(catalogue, model)).map(({ name }) => name);
  if (profiles.includes(profile)) return;
  const these = profiles.length === 0 ? whereCut(profile, catalogue) : `whose are ${profiles.join(', ')}`;
  known.report(path, `no partition ${profile} of ${models.join(', ')}, ${these}`);
}

/** Partitions are known of ids of the catalogue alone. */
function whereCut(profile: string, { devices }: HardwareCatalogue): string {
  const cut = [...devices].filter(([, { profiles }]) => profiles.length > 0);
  const same = cut.filter(([, { profiles }]) => profiles.some(({ name }) => name === profile));
  const isOne = same.length > 0;
  const ids = (isOne ? same : cut).map(([id]) => id).join(', ');
  return `of which none are known: ${isOne ? `${profile} is one of` : 'the models with partitions are'} ${ids}`;
}

function findRunningMistakes(known: KnownNames, path: Path, { pods, running = {} }: ScenarioWorkload): void {
  for (const [podSet, byNode] of Object.entries(running)) {
    const set = pods.find((one) => one.name === podSet);
    const count = Object.values(byNode).reduce((sum, pod) => sum + pod, 0);
    if (set === undefined) known.report([...path, podSet], 'no such pod set');
    else if (count > set.count || count < (set.minCount ?? set.count)) {
      const range = set.minCount === undefined ? `${set.count}` : `${set.minCount} to ${set.count}`;
      known.report([...path, podSet], `has ${count} pods instead of ${range}`);
    }
    for (const node of Object.keys(byNode)) known.mustBe('node', [...path, podSet, node], node);
  }
  const isPlaced = Object.keys(running).length > 0;
  const missing = isPlaced ? pods.find((set) => !(set.name in running)) : undefined;
  if (missing !== undefined) known.report(path, `says nothing of ${missing.name}`);
}

function levelIn(topology: NonNullable<ScenarioPodSet['topology']>): string {
  if ('slice' in topology) return topology.slice.level;
  return 'required' in topology ? topology.required : topology.preferred;
}
