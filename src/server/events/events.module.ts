import { Module } from '@nestjs/common';
import { FleetModule } from '../fleet/fleet.module.js';
import { QuotasModule } from '../quotas/quotas.module.js';
import { WorkloadsModule } from '../workloads/workloads.module.js';
import { ChangeFeed } from './change-feed.js';
import { EventsController } from './events.controller.js';

@Module({
  imports: [FleetModule, QuotasModule, WorkloadsModule],
  controllers: [EventsController],
  providers: [ChangeFeed],
})
export class EventsModule {}
