/** A kind of object, by the words of its address. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface ResourceName {
  /** Absent for objects of the whole cluster, and for a list over all namespaces. */
  readonly namespace?: string;
  readonly name?: string;
  /** `status`, `binding`, `eviction`, `log`. */
  readonly subresource?: string;
}

export function resourcePath({ group, version, plural }: Resource, of: ResourceName = {}): string {
  const { namespace, name, subresource } = of;
  const parts = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}
