import { checkLedger } from '../support/ledger-invariants.js';
import { until } from '../support/observation-log.js';
import type { RunningCluster } from './running-cluster.js';

/** Ledger and API server are asked, one after the other; what Berth believes is not. */
const LOOK_AGAIN_MS_MAX = 120_000;

interface StoredPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[];
  };
}

/**
 * Waits until ledger and API server say the same, within the time that a fault may have its effect after it has ended;
 * the laws of the ledger hold at every look. The error says where they differ.
 */
export async function untilAgreed(cluster: RunningCluster, deadlineMs = LOOK_AGAIN_MS_MAX): Promise<void> {
  await until(
    'the ledger to agree with the API server',
    async () => {
      await checkLedger(cluster.system);
      return (await differences(cluster)).length === 0;
    },
    { deadlineMs, state: () => differences(cluster) },
  );
}

/** Sentences, none while everything is well: they may be untrue for a moment, and none of them for longer. */
async function differences(cluster: RunningCluster): Promise<readonly string[]> {
  const pods = await podsOf(cluster);
  const [occupied, waiting, [intents]] = await Promise.all([
    cluster.system.query<{ pod: string }>(
      `SELECT ${POD} || ' on ' || p.node AS pod FROM pods p JOIN workloads w ON w.uid = p.workload WHERE p.occupied`,
    ),
    cluster.system.query<{ uid: string }>(
      `SELECT pod ->> 'uid' AS uid FROM workloads w, jsonb_each(w.found -> 'pods') s, jsonb_array_elements(s.value) pod
       WHERE w.state = 'pending'`,
    ),
    cluster.system.query<{ count: number }>(`SELECT count(*)::int AS count FROM outbox WHERE state = 'pending'`),
  ]);
  const standing = pods.filter(({ spec, status }) => spec.nodeName !== undefined && !hasEnded(status));
  const present = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const unbound = present.filter(({ spec, status }) => spec.nodeName === undefined && !hasEnded(status));
  const known = waiting.map(({ uid }) => uid);
  const inLedger = occupied.map(({ pod }) => pod);
  const inApiServer = standing.map((pod) => `${keyOf(pod)} on ${pod.spec.nodeName ?? ''}`);
  return [
    ...missing(inLedger, inApiServer).map((pod) => `only the ledger has ${pod}`),
    ...missing(inApiServer, inLedger).map((pod) => `only the API server has ${pod}`),
    ...missing(known, unbound.map(keyOf)).map((pod) => `the ledger waits for room for ${pod}, which is gone or bound`),
    ...unbound
      .filter((pod) => !known.includes(keyOf(pod)) && !saysWhy(pod))
      .map(({ metadata }) => `${metadata.name} is forgotten`),
    ...partlyBound(present).map((gang) => `gang ${gang} is bound in part`),
    ...((intents?.count ?? 0) === 0 ? [] : [`${intents?.count ?? 0} intents are not carried out`]),
  ];
}

/** A pod of Berth's own has a name that no other has; one that others made may come again under its name. */
const POD = `coalesce(w.found #>> ARRAY['pods', p.pod_set, p.index::text, 'uid'], w.team || '/' || p.name)`;

function keyOf({ metadata: { uid, namespace, name, labels = {} } }: StoredPod): string {
  return labels['berth.dev/workload'] === undefined ? uid : `${namespace}/${name}`;
}

async function podsOf({ plane }: RunningCluster): Promise<readonly StoredPod[]> {
  const path = '/api/v1/pods?fieldSelector=spec.schedulerName%3Dberth';
  return (await plane.api.ask<{ readonly items: readonly StoredPod[] }>({ method: 'GET', path })).items;
}

function hasEnded({ phase }: StoredPod['status']): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** Berth has looked at it, and says on it why it is no workload yet. */
function saysWhy({ status }: StoredPod): boolean {
  return status.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason !== undefined) ?? false;
}

/** Gangs by labels of which some pods are bound and others not. */
function partlyBound(pods: readonly StoredPod[]): readonly string[] {
  const bound = new Map<string, { count: number; size: number }>();
  for (const { metadata, spec } of pods) {
    const { 'berth.dev/gang': gang, 'berth.dev/gang-size': size } = metadata.labels ?? {};
    if (gang === undefined || spec.nodeName === undefined) continue;
    const name = `${metadata.namespace}/${gang}`;
    bound.set(name, { count: (bound.get(name)?.count ?? 0) + 1, size: Number(size) });
  }
  return [...bound].filter(([, { count, size }]) => count < size).map(([gang]) => gang);
}

function missing(some: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others);
  return some.filter((one) => !there.has(one));
}
