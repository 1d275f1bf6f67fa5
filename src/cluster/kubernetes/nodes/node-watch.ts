import { isDeepStrictEqual } from 'node:util';
import type { NodeName, NodeSpec, NodeState } from '../../../core/index.js';
import type { Observation } from '../../cluster.js';
import { StatusError } from '../api/api-error.js';
import type { ApiServer } from '../api/api-server.js';
import type { KubeLease, KubeNode } from '../kube-types.js';
import { NodeHealth, type NodeVerdict } from './node-health.js';
import type { NodeMapping } from './node-mapping.js';
import { nodeSpecOf, type MappedNode } from './node-spec-of.js';
import type { Reflector } from '../reflector/reflector.js';
import { LEASES, LEASE_NAMESPACE } from '../api/resources.js';
import { resourcePath } from '../api/resource-path.js';
import type { Timers } from '../timers.js';

/** A node as it is kept: mapped, and what its health is read from. */
export interface SeenNode {
  readonly mapped: MappedNode;
  readonly signs: KubeNode;
}

export interface NodeWatchOptions {
  readonly api: ApiServer;
  readonly timers: Timers;
  readonly nodes: Reflector<SeenNode>;
  readonly leases: Reflector<KubeLease>;
  readonly observe: (observation: Observation) => void;
}

/** Well below the 10 s between two renewals, so that a silence is found soon after it is one. */
const LOOK_TIMEOUT_MS = 4000;

/** Reduces a node to what is kept of it. */
export function seenNodeOf(node: KubeNode, mapping: NodeMapping): SeenNode {
  const { name, uid } = node.metadata;
  const { conditions = [], nodeInfo = {} } = node.status ?? {};
  const signs = { conditions: conditions.filter(({ type }) => type === 'Ready'), nodeInfo };
  return { mapped: nodeSpecOf(node, mapping), signs: { metadata: { name, uid }, status: signs } };
}

/** Tells of nodes and their health what has changed. What could not be told is told at the next look. */
export class NodeWatch {
  private readonly health = new NodeHealth();
  private readonly told = new Map<NodeName, NodeSpec>();
  /** Nodes that may have to be told of. */
  private readonly changed = new Set<NodeName>();
  private readonly states = new Map<NodeName, NodeState>();
  /** Verdicts that nobody has taken yet. */
  private readonly untold: NodeVerdict[] = [];
  private leave: readonly (() => void)[] = [];

  constructor(private readonly options: NodeWatchOptions) {}

  /** All nodes, by name, and what their leases say; to be called when both lists are complete. */
  begin(): void {
    const { nodes, leases, timers } = this.options;
    this.health.hear(timers.now());
    for (const [, lease] of leases.entries()) this.health.seeLease(lease);
    const names = [...nodes.entries()].map(([name]) => name).sort(); // by code units
    for (const name of names) this.changed.add(name);
    this.tellNodes();
    for (const [, { signs }] of nodes.entries()) this.untold.push(...this.health.seeNode(signs));
    const leaveLeases = leases.onChange(({ kind, object }) => {
      if (kind === 'deleted') this.health.removeLease(object.metadata.name);
      else this.take(this.health.seeLease(object));
    });
    const leaveNodes = nodes.onChange((change) => {
      this.changed.add(change.key);
      if (change.kind === 'deleted') this.forget(change.key);
      this.tellNodes();
      if (change.kind !== 'deleted') this.take(this.health.seeNode(change.object.signs));
    });
    this.leave = [leaveLeases, leaveNodes];
  }

  /** It tells nothing more; nodes and leases may be reflected on. */
  stop(): void {
    for (const leave of this.leave) leave();
  }

  /** Absent: nothing was said of it yet. */
  stateOf(node: NodeName): NodeState | undefined {
    return this.states.get(node);
  }

  /** Asks the server for a sign of itself and of those who are overdue, and tells what follows. */
  async look(signal: AbortSignal): Promise<void> {
    const { api, timers } = this.options;
    const options = { signal, timeoutMs: LOOK_TIMEOUT_MS };
    try {
      await api.listPage(resourcePath(LEASES, { namespace: LEASE_NAMESPACE }), { limit: 1 }, options);
      this.health.hear(timers.now());
    } catch {
      this.health.miss(); // whoever reflects reports that the server is away
      return;
    }
    await Promise.all(this.health.overdue().map((name) => this.ask(name, options)));
    this.tellNodes();
    this.take([]);
  }

  private async ask(
    name: NodeName,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<void> {
    const path = resourcePath(LEASES, { namespace: LEASE_NAMESPACE, name });
    try {
      this.take(this.health.confirm(name, (await this.options.api.get(path, options)) as KubeLease));
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) this.take(this.health.confirm(name, undefined));
      // Otherwise its silence is not certain: the next look asks again.
    }
  }

  private forget(name: NodeName): void {
    this.health.removeNode(name);
    this.states.delete(name);
  }

  /** What could not be told stays in the list. */
  private tellNodes(): void {
    const { nodes, observe } = this.options;
    for (const name of this.changed) {
      const node = nodes.get(name)?.mapped.spec;
      const before = this.told.get(name);
      if (node === undefined && before !== undefined) observe({ kind: 'node-removed', node: name });
      if (node !== undefined && !isDeepStrictEqual(node, before)) observe({ kind: 'node-seen', node });
      if (node === undefined) this.told.delete(name);
      else this.told.set(name, node);
      this.changed.delete(name);
    }
  }

  private take(verdicts: readonly NodeVerdict[]): void {
    this.untold.push(...verdicts);
    for (const verdict of verdicts)
      if (verdict.kind === 'node-state-changed') this.states.set(verdict.node, verdict.state);
    for (let next = this.untold[0]; next !== undefined; next = this.untold[0]) {
      this.options.observe(next);
      this.untold.shift();
    }
  }
}
