import type { Explanation } from '../../core/index.js';

/** Port: the core's answer to "why does it wait", from the very core that decides, or one rebuilt from the ledger. */
export abstract class Explainer {
  abstract explain(uid: string): Promise<Explanation>;
}
