import { NODE_AFFINITY, RESOURCES, TAINTS } from './node-rows.js';
import { HOST_PORTS, OTHERS, POD_AFFINITY, SPREAD, VOLUMES } from './pod-rows.js';
import type { Row } from './row.js';

/** Every row by what it is about and its title. */
export const TABLE: readonly (readonly [string, Row])[] = Object.entries({
  resources: RESOURCES,
  'node affinity': NODE_AFFINITY,
  taints: TAINTS,
  'host ports': HOST_PORTS,
  'pod affinity': POD_AFFINITY,
  spread: SPREAD,
  volumes: VOLUMES,
  others: OTHERS,
}).flatMap(([subject, rows]) => Object.entries(rows).map(([title, row]) => [`${subject}: ${title}`, row] as const));
