import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Explanation } from '../../core/index.js';
import { Explainer } from '../workloads/explainer.js';
import { CoreFactory } from './core-factory.js';
import type { CoreSession } from './core-session.js';
import { Ledger } from './ledger.js';
import { LiveLoop } from './live-loop.js';

/** How old an explanation may be where another replica leads: a rebuild reads the whole ledger. */
const REBUILD_MS_MIN = 1000;

/** Asks the core that decides; while another replica leads, one rebuilt from the same ledger, for all who ask. */
@Injectable()
export class LiveExplainer extends Explainer {
  private rebuilt: { readonly atMs: number; readonly core: Promise<CoreSession> } | undefined;

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
    return (await this.rebuild()).explain(uid);
  }

  private async rebuild(): Promise<CoreSession> {
    const nowMs = performance.now();
    if (this.rebuilt === undefined || nowMs - this.rebuilt.atMs > REBUILD_MS_MIN) {
      this.rebuilt = { atMs: nowMs, core: this.ledger.load().then((state) => this.cores.rebuild(state)) };
    }
    try {
      return await this.rebuilt.core;
    } catch (error) {
      this.rebuilt = undefined;
      throw error;
    }
  }
}
