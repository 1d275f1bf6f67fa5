import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Allow } from '../auth/allow.decorator.js';

const HealthSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });
type Health = z.infer<typeof HealthSchema>;

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** The process lives. Never touches the database: a dead database must not restart every replica. */
  @Get('healthz')
  @Allow('public')
  @ApiOkResponse({ standardSchema: HealthSchema })
  live(): Health {
    return { status: 'ok' };
  }

  /** It can serve: the database answers. 503 otherwise. */
  @Get('readyz')
  @Allow('public')
  @ApiOkResponse({ standardSchema: HealthSchema })
  async ready(): Promise<Health> {
    await this.database.query('SELECT 1');
    return { status: 'ok' };
  }
}
