import type { FlavorName, FlavorSpec } from '../../../core/index.js';
import type { NodeMapping } from '../nodes/node-mapping.js';
import { fits, type MappedNode } from '../nodes/node-spec-of.js';
import type { PodFlavors } from '../reading/pod-devices.js';

/** Which models of devices the nodes have, by the resource under which pods ask for them. */
export class DeviceFlavors {
  /** By resource and model, how often nodes have it. */
  private readonly counts = new Map<string, Map<string, number>>();

  constructor(private readonly mapping: NodeMapping) {}

  /** A node as it was, and as it is; answers whether a model has come or gone. */
  see(before: MappedNode | undefined, now: MappedNode | undefined): boolean {
    // What stays is added before it is taken away, so that it is never gone.
    const hasCome = this.count(now, 1);
    const hasGone = this.count(before, -1);
    return hasCome || hasGone;
  }

  /** In the order of their names: all whose model some node has under the resource. */
  flavorsOf(flavors: readonly FlavorSpec[]): PodFlavors {
    const { accelerators } = this.mapping;
    const byName = [...flavors].sort((a, b) => (a.name < b.name ? -1 : 1)); // by code units
    const namesOf = (has: (model: string | undefined) => boolean): readonly FlavorName[] =>
      byName.filter(({ model }) => has(model)).map(({ name }) => name);
    return {
      ofCpu: namesOf((model) => model === undefined),
      ofResource: (resource) => {
        if (!accelerators.some(({ resource: pattern }) => fits(pattern, resource))) return undefined;
        const models = this.counts.get(resource);
        return namesOf((model) => model !== undefined && models?.has(model) === true);
      },
    };
  }

  private count(node: MappedNode | undefined, step: 1 | -1): boolean {
    let hasChanged = false;
    for (const [index, { resource }] of (node?.devices ?? []).entries()) {
      const model = node?.spec.accelerators[index]?.model;
      if (model === undefined) continue;
      const models = this.counts.get(resource) ?? new Map<string, number>();
      const before = models.get(model) ?? 0;
      const count = before + step;
      if (count === 0) models.delete(model);
      else models.set(model, count);
      this.counts.set(resource, models);
      hasChanged ||= (before === 0) !== (count === 0);
    }
    return hasChanged;
  }
}
