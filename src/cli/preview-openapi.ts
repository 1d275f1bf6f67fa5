import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { LocalCluster } from '../cluster/local/local-cluster.js';
import { DEFAULT_POLICY } from '../core/index.js';
import { AppModule } from '../server/app.module.js';
import { ClusterModule } from '../server/cluster.module.js';
import { openApiOf } from '../server/openapi.js';

/** The routes without what serves them: in preview Nest reads the modules and makes no instance of anything. */
export async function previewOpenApi(): Promise<OpenAPIObject> {
  const root = AppModule.with({
    dataSource: new DataSource({ type: 'postgres' }),
    cluster: ClusterModule.local(new LocalCluster({ directory: '', nodes: [] })),
    policy: DEFAULT_POLICY,
    mayLead: false,
  });
  const options = { preview: true, logger: false } as const;
  const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), options);
  return openApiOf(app);
}
