import type { Resource } from './resource-path.js';

export const PODS: Resource = { group: '', version: 'v1', plural: 'pods' };
export const EVENTS: Resource = { group: '', version: 'v1', plural: 'events' };
export const NODES: Resource = { group: '', version: 'v1', plural: 'nodes' };
export const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets' };
export const SERVICES: Resource = { group: '', version: 'v1', plural: 'services' };
export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
/** Where kubelets keep their leases. */
export const LEASE_NAMESPACE = 'kube-node-lease';
