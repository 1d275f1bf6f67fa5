import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FlavorEntity, QueueEntity, QueueQuotaEntity, TeamEntity } from './queue.entity.js';
import { QueuesController } from './queues.controller.js';
import { QueuesReader } from './queues-reader.js';

@Module({
  imports: [TypeOrmModule.forFeature([TeamEntity, FlavorEntity, QueueEntity, QueueQuotaEntity])],
  controllers: [QueuesController],
  providers: [QueuesReader],
  exports: [QueuesReader],
})
export class QuotasModule {}
