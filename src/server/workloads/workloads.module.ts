import { Module } from '@nestjs/common';
import { PodLogs } from './pod-logs.js';
import { StatusController } from './status.controller.js';
import { StatusReports } from './status-reports.js';
import { WorkloadCommands } from './workload-commands.js';
import { WorkloadReader } from './workload-reader.js';
import { WorkloadsController } from './workloads.controller.js';
import { WorkloadsService } from './workloads.service.js';

@Module({
  controllers: [WorkloadsController, StatusController],
  providers: [WorkloadsService, WorkloadReader, WorkloadCommands, PodLogs, StatusReports],
  exports: [WorkloadReader],
})
export class WorkloadsModule {}
