/** What every object of the API has, as JSON brings it: times are text, and nothing else is known yet. */
export interface KubeObject {
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly [field: string]: unknown;
}

export function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  const { metadata } = value as { readonly metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { name, uid, resourceVersion } = metadata as Partial<KubeMetadata>;
  return typeof name === 'string' && typeof uid === 'string' && typeof resourceVersion === 'string';
}

/** `namespace/name`, or the name alone for objects of the whole cluster. */
export function keyOf({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/**
 * Below, at, or above 0 as `left` is older than, equal to, or newer than `right`: resourceVersions are decimal numbers,
 * too large for ours, and are comparable within one kind (KEP-5504).
 */
export function compareVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
