import { partitionsOf, type HardwareCatalogue } from '../core/fleet/index.js';
import {
  DEFAULT_MODEL,
  levelsOf,
  namesOf,
  nodeMistakes,
  type FleetFile,
  type FleetFileNode,
  type Mistake,
} from '../fleet-file/fleet.schema.js';
import type { ScenarioEvent } from './event.schema.js';
import type { Expectation } from './expectation.schema.js';
import { flavorsNamedBy, type ScenarioQueue } from './queue.schema.js';
import { modelsOf, type ScenarioPodSet, type ScenarioWorkload } from './workload.schema.js';

interface Named {
  readonly fleet: FleetFile;
  readonly queues: readonly ScenarioQueue[];
  readonly workloads: readonly ScenarioWorkload[];
  readonly events: readonly ScenarioEvent[];
  readonly expect: readonly Expectation[];
}

type Path = (string | number)[];

/** Names that stand for nothing, and names given twice. */
export function scenarioMistakes(scenario: Named, catalogue: HardwareCatalogue): readonly Mistake[] {
  return new MistakeSearch(scenario, catalogue).mistakes;
}

class MistakeSearch {
  readonly mistakes: Mistake[] = [];
  readonly #levels: readonly string[];
  readonly #nodes: Set<string>;
  readonly #queues = new Set<string>();
  readonly #flavors: ReadonlySet<string>;
  readonly #workloads = new Set<string>();
  readonly #catalogue: HardwareCatalogue;

  constructor(scenario: Named, catalogue: HardwareCatalogue) {
    this.#catalogue = catalogue;
    this.#levels = levelsOf(scenario.fleet);
    this.#nodes = new Set(scenario.fleet.nodes.flatMap((node) => namesOf(node, catalogue)));
    this.#flavors = flavorsIn(scenario);
    for (const [index, queue] of scenario.queues.entries()) this.#queue(['queues', index], queue);
    for (const [index, workload] of scenario.workloads.entries()) this.#workload(['workloads', index], workload);
    for (const [index, event] of scenario.events.entries()) this.#event(['events', index], event);
    for (const [index, expectation] of scenario.expect.entries()) this.#expectation(['expect', index], expectation);
  }

  #queue(path: Path, { name, parent }: ScenarioQueue): void {
    if (this.#queues.has(name)) this.#report([...path, 'name'], `is the name of two queues: ${name}`);
    if (parent !== undefined && !this.#queues.has(parent)) {
      this.#report([...path, 'parent'], `no queue ${parent} above it`);
    }
    this.#queues.add(name);
  }

  #workload(path: Path, { name, queue, dependsOn = [], pods, running = {} }: ScenarioWorkload): void {
    if (this.#workloads.has(name)) this.#report([...path, 'name'], `is the name of two workloads: ${name}`);
    this.#workloads.add(name);
    if (!this.#queues.has(queue)) this.#report([...path, 'queue'], `no queue ${queue}`);
    for (const other of dependsOn) this.#known([...path, 'dependsOn'], 'workload', other);
    for (const [index, set] of pods.entries()) {
      const { topology } = set;
      if (set.mig !== undefined) this.#partition([...path, 'pods', index, 'mig'], set, set.mig);
      const level = topology === undefined ? undefined : levelIn(topology);
      if (level !== undefined) this.#level([...path, 'pods', index, 'topology'], level);
    }
    for (const [podSet, byNode] of Object.entries(running)) {
      const set = pods.find((one) => one.name === podSet);
      const count = Object.values(byNode).reduce((sum, pod) => sum + pod, 0);
      if (set === undefined) this.#report([...path, 'running', podSet], 'no such pod set');
      else if (count > set.count || count < (set.minCount ?? set.count)) {
        const range = set.minCount === undefined ? `${set.count}` : `${set.minCount} to ${set.count}`;
        this.#report([...path, 'running', podSet], `has ${count} pods instead of ${range}`);
      }
      for (const node of Object.keys(byNode)) this.#known([...path, 'running', podSet, node], 'node', node);
    }
    const isPlaced = Object.keys(running).length > 0;
    const missing = isPlaced ? pods.find((set) => !(set.name in running)) : undefined;
    if (missing !== undefined) this.#report([...path, 'running'], `says nothing of ${missing.name}`);
  }

  #partition(path: Path, pods: ScenarioPodSet, profile: string): void {
    const models = modelsOf(pods);
    const known = models.flatMap((model) => partitionsOf(this.#catalogue, model)).map(({ name }) => name);
    if (known.includes(profile)) return;
    const these = known.length === 0 ? 'of which no partitions are known' : `whose are ${known.join(', ')}`;
    this.#report(path, `no partition ${profile} of ${models.join(', ')}, ${these}`);
  }

  #event(path: Path, event: ScenarioEvent): void {
    const { submit, addNode } = event;
    if (submit !== undefined) {
      this.#workload([...path, 'submit'], submit);
      if (submit.running !== undefined) this.#report([...path, 'submit', 'running'], 'is for workloads of time 0');
    }
    if (addNode !== undefined) {
      const mistakes = nodeMistakes(addNode, this.#levels, this.#catalogue);
      for (const mistake of mistakes) this.#report([...path, 'addNode', ...mistake.path], mistake.message);
      for (const name of namesOf(addNode, this.#catalogue)) this.#nodes.add(name);
    }
    for (const key of ['finish', 'cancel', 'release', 'workload'] as const) {
      if (event[key] !== undefined) this.#known([...path, key], 'workload', event[key]);
    }
    for (const key of ['node', 'removeNode'] as const) {
      if (event[key] !== undefined) this.#known([...path, key], 'node', event[key]);
    }
    if (event.queue !== undefined) this.#known([...path, 'queue'], 'queue', event.queue);
  }

  #expectation(path: Path, expectation: Expectation): void {
    const lists = [
      'running',
      'runningIncludes',
      'pending',
      'pendingIncludes',
      'evicted',
      'evictedIncludes',
      'neverEvicted',
    ] as const;
    for (const key of lists) {
      for (const name of expectation[key] ?? []) this.#known([...path, key], 'workload', name);
    }
    for (const name of expectation.countRunning?.of ?? []) this.#known([...path, 'countRunning'], 'workload', name);
    const byWorkload = [
      'reason',
      'change',
      'pods',
      'podsPerSet',
      'domains',
      'on',
      'plannedStart',
      'evictions',
      'finishedBy',
    ] as const;
    for (const key of byWorkload) {
      for (const name of Object.keys(expectation[key] ?? {})) this.#known([...path, key, name], 'workload', name);
    }
    for (const key of ['usage', 'share'] as const) {
      for (const name of Object.keys(expectation[key] ?? {})) this.#known([...path, key, name], 'queue', name);
    }
    for (const [name, perLevel] of Object.entries(expectation.domains ?? {})) {
      for (const level of Object.keys(perLevel)) this.#level([...path, 'domains', name, level], level);
    }
    for (const [name, perFlavor] of Object.entries(expectation.usage ?? {})) {
      for (const flavor of Object.keys(perFlavor)) this.#flavor([...path, 'usage', name, flavor], flavor);
    }
    for (const [name, nodes] of Object.entries(expectation.on ?? {})) {
      const names = Array.isArray(nodes) ? nodes : Object.keys(nodes);
      for (const node of names) this.#known([...path, 'on', name], 'node', node);
    }
  }

  #level(path: Path, level: string): void {
    if (this.#levels.includes(level)) return;
    this.#report(path, `no level ${level}; there are ${this.#levels.join(', ')}`);
  }

  #flavor(path: Path, flavor: string): void {
    if (this.#flavors.has(flavor)) return;
    this.#report(path, `no flavor ${flavor}; there are ${[...this.#flavors].sort().join(', ') || 'none'}`);
  }

  #known(path: Path, what: 'workload' | 'node' | 'queue', name: string): void {
    const names = { workload: this.#workloads, node: this.#nodes, queue: this.#queues }[what];
    if (!names.has(name)) this.#report(path, `no ${what} ${name}`);
  }

  #report(path: Path, message: string): void {
    this.mistakes.push({ path, message });
  }
}

function levelIn(topology: NonNullable<ScenarioWorkload['pods'][number]['topology']>): string {
  if ('slice' in topology) return topology.slice.level;
  return 'required' in topology ? topology.required : topology.preferred;
}

/** The flavors that nodes and queues name, at first or later: what only a pod asks for is never charged. */
function flavorsIn({ fleet, queues, events }: Named): ReadonlySet<string> {
  const nodes = [...fleet.nodes, ...events.flatMap(({ addNode }) => addNode ?? [])];
  const changes = events.filter(({ queue }) => queue !== undefined);
  return new Set([
    ...nodes.flatMap(modelsOn),
    ...[...queues, ...changes].flatMap(flavorsNamedBy),
    ...queues.flatMap(({ pastUsage = {} }) => Object.keys(pastUsage)),
  ]);
}

function modelsOn({ accelerators, slice }: FleetFileNode): readonly string[] {
  if (slice !== undefined) return [slice.model];
  return accelerators === undefined ? [DEFAULT_MODEL] : [accelerators].flat().map(({ model }) => model);
}
