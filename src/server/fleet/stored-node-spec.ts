import type { Accelerators, NodeSpec } from '../../core/index.js';

/** A node's spec as a row may still have it: nodes had one model, or none, before they could have several. */
export type StoredNodeSpec = Omit<NodeSpec, 'accelerators'> & {
  readonly accelerators?: Accelerators | readonly Accelerators[];
};

export function nodeSpecOf({ accelerators = [], ...rest }: StoredNodeSpec): NodeSpec {
  return { ...rest, accelerators: 'model' in accelerators ? [accelerators] : accelerators };
}
