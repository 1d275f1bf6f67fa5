import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Policy } from '../../core/index.js';
import { Explainer } from '../workloads/explainer.js';
import { CoreFactory, SchedulingPolicy } from './core-factory.js';
import { DriverWatch } from './driver-watch.js';
import { Ledger } from './ledger.js';
import { LiveExplainer } from './live-explainer.js';
import { LiveLoop } from './live-loop.js';
import { OutboxRunner } from './outbox-runner.js';
import { PostgresLedger } from './postgres-ledger.js';
import { StatusAddress } from './status-address.js';

/** The live loop where this process may lead, and the explainer everywhere. */
@Global()
@Module({})
export class SchedulerModule {
  static with(options: { readonly policy: Policy; readonly mayLead: boolean }): DynamicModule {
    const policy = new SchedulingPolicy(options.policy);
    return {
      module: SchedulerModule,
      providers: [
        CoreFactory,
        StatusAddress,
        { provide: SchedulingPolicy, useValue: policy },
        { provide: Ledger, useClass: PostgresLedger },
        { provide: Explainer, useClass: LiveExplainer },
        ...(options.mayLead ? [LiveLoop, DriverWatch, OutboxRunner] : []),
      ],
      exports: [Explainer],
    };
  }
}
