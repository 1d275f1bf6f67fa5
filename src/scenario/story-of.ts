import type { HardwareCatalogue } from '../core/fleet/index.js';
import type { Ms, NodeSpec, QueueSpec, TopologyLevel, WorkloadId } from '../core/index.js';
import type { SimulationInput } from '../core/simulation/index.js';
import { fleetOf, nodesOf } from '../fleet-file/fleet-nodes.js';
import { policyOf } from '../policy-file/policy-file.schema.js';
import type { ScenarioEvent } from './event.schema.js';
import { CPU_FLAVOR, flavorsOf } from './flavors-of.js';
import { changedQueue, queueSpecOf } from './queue.schema.js';
import type { Scenario } from './scenario.schema.js';
import { SeatPlan } from './seats-of-running.js';
import { msOf } from './seconds.js';
import { workloadSpecOf, type Offer } from './workload-spec-of.js';

/** A scenario as the core is told it. */
export interface Story {
  readonly levels: readonly TopologyLevel[];
  /** In the order told; those of time 0 set the scene. */
  readonly inputs: readonly { readonly atMs: Ms; readonly input: SimulationInput }[];
  readonly runtimeMs: ReadonlyMap<WorkloadId, Ms>;
  /** When the last event happens. */
  readonly lastMs: Ms;
}

/** Throws a `RangeError` when running workloads do not fit where they are said to run. */
export function storyOf(scenario: Scenario, catalogue: HardwareCatalogue): Story {
  const { levels, nodes } = fleetOf(scenario.fleet, catalogue);
  const later = scenario.events.map(({ addNode }) =>
    addNode === undefined ? [] : nodesOf(addNode, levels, catalogue),
  );
  const flavors = flavorsOf(scenario);
  const cpu = flavors.some(({ name }) => name === CPU_FLAVOR) ? 'managed' : 'unmanaged';
  const queues = new Map(scenario.queues.map((queue) => [queue.name, queueSpecOf(queue)]));
  const scene: SimulationInput[] = [
    { kind: 'policy-set', policy: policyOf(scenario.policy, levels) },
    ...flavors.map((flavor): SimulationInput => ({ kind: 'flavor-set', flavor })),
    ...[...queues.values()].map((queue): SimulationInput => ({ kind: 'queue-set', queue })),
    ...nodes.map((node): SimulationInput => ({ kind: 'node-seen', node })),
    ...workloadsOf(scenario, nodes, { cpu, catalogue }),
  ];
  const told = scenario.events.flatMap((event, index) => {
    const inputs = inputsOf(event, { queues, added: later[index] ?? [], cpu, catalogue });
    return inputs.map((input) => ({ atMs: msOf(event.at), input }));
  });
  const submitted = [...scenario.workloads, ...scenario.events.flatMap(({ submit }) => submit ?? [])];
  return {
    levels,
    inputs: [...scene.map((input) => ({ atMs: 0, input })), ...told],
    runtimeMs: new Map(
      submitted.flatMap(({ name, runtime }) => (runtime === undefined ? [] : [[name, msOf(runtime)]])),
    ),
    lastMs: Math.max(0, ...told.map(({ atMs }) => atMs)),
  };
}

function workloadsOf({ workloads }: Scenario, nodes: readonly NodeSpec[], offer: Offer): readonly SimulationInput[] {
  const plan = new SeatPlan(nodes);
  return workloads.flatMap((workload): readonly SimulationInput[] => {
    const spec = workloadSpecOf(workload, { atSeconds: 0, ...offer });
    const startedAtMs = msOf(workload.startedAt);
    const seats = plan.seat(spec, workload.running ?? {});
    return [
      { kind: 'workload-submitted', workload: spec },
      ...seats.map((seat): SimulationInput => ({ kind: 'pod-adopted', seat, state: 'started', startedAtMs })),
    ];
  });
}

function inputsOf(
  event: ScenarioEvent,
  { queues, added, ...offer }: Offer & { readonly queues: Map<string, QueueSpec>; readonly added: readonly NodeSpec[] },
): readonly SimulationInput[] {
  const { submit, finish, cancel, release, workload, priority, node, state, removeNode, queue } = event;
  if (submit !== undefined) {
    return [{ kind: 'workload-submitted', workload: workloadSpecOf(submit, { atSeconds: event.at, ...offer }) }];
  }
  if (finish !== undefined) return [{ kind: 'workload-finished', workload: finish }];
  if (cancel !== undefined) return [{ kind: 'workload-cancelled', workload: cancel }];
  if (release !== undefined) return [{ kind: 'workload-changed', workload: release, change: { hold: false } }];
  if (workload !== undefined && priority !== undefined) {
    return [{ kind: 'workload-changed', workload, change: { priority } }];
  }
  if (node !== undefined && state !== undefined) {
    return [{ kind: 'node-state-changed', node, state, cause: 'scenario' }];
  }
  if (removeNode !== undefined) return [{ kind: 'node-removed', node: removeNode }];
  const before = queue === undefined ? undefined : queues.get(queue);
  if (before !== undefined) {
    const changed = changedQueue(before, event);
    queues.set(changed.name, changed);
    return [{ kind: 'queue-set', queue: changed }];
  }
  return added.map((one) => ({ kind: 'node-seen', node: one }));
}
