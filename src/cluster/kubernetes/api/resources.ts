import type { Resource } from './resource-path.js';

export const PODS: Resource = { group: '', version: 'v1', plural: 'pods' };
export const EVENTS: Resource = { group: '', version: 'v1', plural: 'events' };
export const NODES: Resource = { group: '', version: 'v1', plural: 'nodes' };
export const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets' };
export const SERVICES: Resource = { group: '', version: 'v1', plural: 'services' };
export const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces' };
export const CLAIMS: Resource = { group: '', version: 'v1', plural: 'persistentvolumeclaims' };
export const VOLUMES: Resource = { group: '', version: 'v1', plural: 'persistentvolumes' };
/** Not served by every cluster. */
export const POD_GROUPS: Resource = { group: 'scheduling.k8s.io', version: 'v1beta1', plural: 'podgroups' };
export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
/** Where kubelets keep their leases. */
export const LEASE_NAMESPACE = 'kube-node-lease';
