import type { NodeSpec } from '../../../core/index.js';
import { mayMatchNodeAffinity } from '../../../core/index.js';
import { nodeTermOf } from './pod-node-affinity.js';
import type { VolumeObject } from './pod-object.js';
import type { Refuse } from './unsupported.js';
import { below } from './unsupported.js';

type Labels = NodeSpec['labels'];

const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
/** By these labels a volume says where it is, even one without node affinity; and the names they have today. */
const PLACES: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': ZONE,
  'failure-domain.beta.kubernetes.io/region': REGION,
  [ZONE]: ZONE,
  [REGION]: REGION,
};
/** Several zones in one label. */
const BETWEEN = '__';

/** Which nodes reach the volume: by its node affinity and by its zones; `undefined`: it asks for none. */
export function volumeReach(
  { metadata, spec }: VolumeObject,
  refuse: Refuse,
): ((labels: Labels) => boolean) | undefined {
  const required = spec.nodeAffinity?.required?.nodeSelectorTerms;
  const terms = required?.map((term, index) =>
    nodeTermOf(term, below(`${metadata.name}.nodeSelectorTerms[${index}]`, refuse)),
  );
  const places = Object.entries(metadata.labels ?? {}).filter(([key]) => key in PLACES);
  if (terms === undefined && places.length === 0) return undefined;
  return (labels) => (terms === undefined || mayMatchNodeAffinity(terms, { labels })) && isNear(places, labels);
}

/** A node that tells no place at all is near everything, as the filter `VolumeZone` of kube-scheduler has it. */
function isNear(places: readonly (readonly [string, string])[], labels: Labels): boolean {
  if (!Object.keys(PLACES).some((key) => labels[key] !== undefined)) return true;
  return places.every(([key, values]) => {
    const own = labels[key] ?? labels[PLACES[key] ?? key];
    return own !== undefined && values.split(BETWEEN).includes(own);
  });
}
