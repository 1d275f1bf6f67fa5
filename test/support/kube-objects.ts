/** A pod as far as a watch needs one. */
export function aPodObject(name: string, version: number | string, uid = `uid-${name}`): object {
  return {
    metadata: {
      name,
      namespace: 'team',
      uid,
      resourceVersion: String(version),
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: { nodeName: `node-of-${name}` },
  };
}
