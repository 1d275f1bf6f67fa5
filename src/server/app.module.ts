import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import type { Policy } from '../core/index.js';
import { AuthModule } from './auth/auth.module.js';
import { EventsModule } from './events/events.module.js';
import { FleetModule } from './fleet/fleet.module.js';
import { HealthModule } from './health/health.module.js';
import { PlatformModule } from './platform.module.js';
import { QuotasModule } from './quotas/quotas.module.js';
import { SchedulerModule } from './scheduler/scheduler.module.js';
import { WorkloadsModule } from './workloads/workloads.module.js';

export interface AppOptions {
  readonly dataSource: DataSource;
  /** `ClusterModule` with its driver. */
  readonly cluster: DynamicModule;
  /** By what it decides, where it may lead, and explains. */
  readonly policy: Policy;
  readonly mayLead: boolean;
}

@Module({})
export class AppModule {
  static with({ dataSource, cluster, policy, mayLead }: AppOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => dataSource.options,
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
        PlatformModule,
        cluster,
        SchedulerModule.with({ policy, mayLead }),
        AuthModule,
        WorkloadsModule,
        QuotasModule,
        FleetModule,
        EventsModule,
        HealthModule,
      ],
    };
  }
}
