import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/allow.decorator.js';
import { QueueNameSchema } from '../names.schema.js';
import { Problem } from '../problem.js';
import { QueuesReader } from './queues-reader.js';
import { QueuePageSchema, QueueSchema, TeamPageSchema, type Queue, type Team } from './quotas.schema.js';

@ApiTags('queues')
@Controller('v1')
export class QueuesController {
  constructor(private readonly reader: QueuesReader) {}

  /** The quota tree, parents before children, with what each queue uses and could still use. */
  @Get('queues')
  @Allow('queues:read')
  @ApiOkResponse({ standardSchema: QueuePageSchema })
  async list(): Promise<{ readonly items: readonly Queue[] }> {
    return { items: await this.reader.list() };
  }

  @Get('queues/:name')
  @Allow('queues:read')
  @ApiOkResponse({ standardSchema: QueueSchema })
  async read(@Param('name', { schema: QueueNameSchema }) name: string): Promise<Queue> {
    const queue = (await this.reader.list()).find((candidate) => candidate.name === name);
    if (queue !== undefined) return queue;
    throw new Problem(404, { code: 'NOT_FOUND', detail: `No queue ${name}; see GET /v1/queues.` });
  }

  @Get('teams')
  @Allow('teams:read')
  @ApiOkResponse({ standardSchema: TeamPageSchema })
  async teams(): Promise<{ readonly items: readonly Team[] }> {
    return { items: await this.reader.teams() };
  }
}
