import { Injectable } from '@nestjs/common';
import type { Policy } from '../../core/index.js';
import { Clock } from '../clock.js';
import { CoreSession } from './core-session.js';
import type { LedgerState } from './ledger.js';

/** The policy document that this server decides by. */
export class SchedulingPolicy {
  constructor(readonly document: Policy) {}
}

/** Rebuilds a core from the ledger: the one that decides, and others that only explain, are made alike. */
@Injectable()
export class CoreFactory {
  constructor(
    private readonly policy: SchedulingPolicy,
    private readonly clock: Clock,
  ) {}

  rebuild(state: LedgerState): CoreSession {
    return new CoreSession(state, this.policy.document, this.clock);
  }

  now(): number {
    return this.clock.now();
  }
}
