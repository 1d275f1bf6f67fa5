import type { V1PodSpec, V1Toleration } from '@kubernetes/client-node';
import type { Plain } from '../../../src/cluster/kubernetes/reading/pod-object.js';
import { PIN } from './cluster.js';
import type { Row } from './row.js';

/** The pod of a row as it may run on this node and on no other. */
export function pinnedSpec({ spec = {}, pinnedBy = 'name' }: Row, node: string): Plain<V1PodSpec> {
  const { tolerations = [], containers = [{ name: 'main', image: 'none' }] } = spec;
  const pin: V1Toleration =
    pinnedBy === 'taint' ? { key: PIN, operator: 'Equal', value: node } : { key: PIN, operator: 'Exists' };
  const whole = { ...spec, containers, tolerations: [...tolerations, pin] };
  return pinnedBy === 'taint' ? whole : { ...whole, affinity: toNode(whole, node) };
}

function toNode({ affinity = {} }: Plain<V1PodSpec>, node: string): NonNullable<V1PodSpec['affinity']> {
  const { nodeAffinity = {}, podAffinity, podAntiAffinity } = affinity;
  const { requiredDuringSchedulingIgnoredDuringExecution: required } = nodeAffinity;
  const { preferredDuringSchedulingIgnoredDuringExecution: preferred } = nodeAffinity;
  const terms = required?.nodeSelectorTerms ?? [{}];
  const named = { key: 'metadata.name', operator: 'In', values: [node] };
  const nodeSelectorTerms = terms.map(({ matchExpressions = [], matchFields = [] }) => ({
    matchExpressions,
    matchFields: [...matchFields, named],
  }));
  return {
    ...(podAffinity === undefined ? {} : { podAffinity }),
    ...(podAntiAffinity === undefined ? {} : { podAntiAffinity }),
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
      ...(preferred === undefined ? {} : { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
    },
  };
}
