import { modelOfSlot } from './seats-of-running.js';
import type { Happening } from './timeline.js';
import type { Charge, Decision, Ms, NodeSpec, QueueSpec, SchedulerInput, Seat, WorkloadId } from '../core/index.js';

type Plan = Decision & { readonly kind: 'plan' };

/** What was told and decided, kept beside the core and never read from it: checks hold the two against each other. */
export class ScenarioLog {
  readonly nodes = new Map<string, NodeSpec>();
  readonly queues = new Map<string, QueueSpec>();
  readonly workloads = new Map<WorkloadId, (SchedulerInput & { kind: 'workload-submitted' })['workload']>();
  readonly claims = new Map<WorkloadId, readonly Seat[]>();
  readonly charges = new Map<WorkloadId, readonly Charge[]>();
  readonly plans = new Map<WorkloadId, Plan>();
  readonly evictions: { readonly workload: WorkloadId; readonly atMs: Ms }[] = [];
  readonly finishedAtMs = new Map<WorkloadId, Ms>();
  readonly history: Happening[] = [];

  hear(input: SchedulerInput, atMs: Ms): void {
    this.history.push({ kind: 'told', atMs, input });
    if (input.kind === 'node-seen') this.nodes.set(input.node.name, input.node);
    if (input.kind === 'queue-set') this.queues.set(input.queue.name, input.queue);
    if (input.kind === 'workload-submitted') this.workloads.set(input.workload.id, input.workload);
    if (input.kind === 'pod-adopted') this.#adopt(input.seat);
  }

  decided(decision: Decision, atMs: Ms): void {
    this.history.push({ kind: 'decided', atMs, decision });
    const { workload } = decision;
    switch (decision.kind) {
      case 'start':
        this.claims.set(workload, decision.seats);
        this.charges.set(workload, decision.charges);
        this.plans.delete(workload);
        return;
      case 'grow':
        this.claims.set(workload, [...(this.claims.get(workload) ?? []), ...decision.seats]);
        this.#charge(workload, decision.charges, 1);
        return;
      case 'evict':
        if (decision.then === 'requeue') this.evictions.push({ workload, atMs });
        this.#release(decision);
        return;
      case 'shrink':
      case 'release':
        this.#release(decision);
        return;
      case 'finish':
        if (decision.outcome === 'succeeded') this.finishedAtMs.set(workload, atMs);
        this.plans.delete(workload);
        return;
      case 'plan':
        this.plans.set(workload, decision);
        return;
      case 'unplan':
        this.plans.delete(workload);
        return;
      case 'wait':
        return;
    }
  }

  #adopt(seat: Seat): void {
    const { workload, podSet } = seat.pod;
    this.claims.set(workload, [...(this.claims.get(workload) ?? []), seat]);
    const spec = this.workloads.get(workload);
    const set = spec?.podSets.find(({ name }) => name === podSet);
    const model = modelOfSlot(this.nodes.get(seat.node), seat.slots[0]?.slot ?? 0);
    const flavor = set?.devices === undefined ? set?.flavors[0] : set.flavors.find((name) => name === model);
    const devices = seat.slots.reduce((sum, { milli }) => sum + milli, 0);
    const milli = set?.devices === undefined ? seat.cpuMilli : devices;
    if (spec !== undefined && flavor !== undefined) this.#charge(workload, [{ queue: spec.queue, flavor, milli }], 1);
  }

  #release({ workload, pods, charges }: Decision & { readonly kind: 'evict' | 'shrink' | 'release' }): void {
    const gone = new Set(pods.map(({ podSet, index }) => `${podSet}/${index}`));
    const left = (this.claims.get(workload) ?? []).filter(({ pod }) => !gone.has(`${pod.podSet}/${pod.index}`));
    this.claims.set(workload, left);
    this.#charge(workload, charges, -1);
  }

  #charge(workload: WorkloadId, charges: readonly Charge[], sign: 1 | -1): void {
    const sums = [...(this.charges.get(workload) ?? [])];
    for (const { queue, flavor, milli } of charges) {
      const at = sums.findIndex((sum) => sum.flavor === flavor && sum.queue === queue);
      const before = sums[at]?.milli ?? 0;
      const after = { queue, flavor, milli: before + sign * milli };
      if (at < 0) sums.push(after);
      else sums[at] = after;
    }
    this.charges.set(
      workload,
      sums.filter(({ milli }) => milli !== 0),
    );
  }
}
