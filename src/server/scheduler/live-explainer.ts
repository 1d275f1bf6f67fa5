import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Explanation } from '../../core/index.js';
import { Explainer } from '../workloads/explainer.js';
import { CoreFactory } from './core-factory.js';
import { Ledger } from './ledger.js';
import { LiveLoop } from './live-loop.js';

/** Asks the core that decides; while another replica leads, one rebuilt from the same ledger. */
@Injectable()
export class LiveExplainer extends Explainer {
  constructor(
    @Optional() @Inject(LiveLoop) private readonly loop: LiveLoop | undefined,
    private readonly ledger: Ledger,
    private readonly cores: CoreFactory,
  ) {
    super();
  }

  async explain(uid: string): Promise<Explanation> {
    const live = this.loop?.explain(uid);
    if (live !== undefined && live.kind !== 'unknown-workload') return live;
    return this.cores.rebuild(await this.ledger.load()).explain(uid);
  }
}
