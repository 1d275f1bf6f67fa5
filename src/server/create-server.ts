import { StandardSchemaValidationPipe, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import fastifyCookie from '@fastify/cookie';
import { REPORT_HTML_BYTES_MAX } from '../trainer/contract.js';
import { AppModule, type AppOptions } from './app.module.js';
import { serveOpenApi } from './openapi.js';
import { servePage } from './page.js';
import { ProblemFilter, problemOfIssues } from './problem.js';
import { STATUS_PATH } from './workloads/status.controller.js';

/** Of what people send; a body is read before anybody asks who sends it. */
const BODY_BYTES_MAX = 1024 * 1024;
/** A trainer's last report: the page, escaped as JSON, and the numbers beside it. */
const STATUS_BYTES_MAX = 2 * REPORT_HTML_BYTES_MAX;
/** A client that does not finish its request in this time is not served. */
const REQUEST_MS_MAX = 60_000;

export interface ServerParts extends AppOptions {
  readonly logger: LoggerService;
  /** The built dashboard; where it is missing, `/` is 404 and the API works. */
  readonly pageDirectory: string;
}

/** The control plane as one HTTP application, ready to listen; `close` ends open event streams, too. */
export async function createServer({
  logger,
  pageDirectory,
  ...options
}: ServerParts): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    requestTimeout: REQUEST_MS_MAX,
    routerOptions: { maxParamLength: 253 },
  });
  adapter.getInstance().addHook('onRoute', (route) => {
    if (route.url === `/${STATUS_PATH}`) route.bodyLimit = STATUS_BYTES_MAX;
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(options), adapter, {
    logger,
    abortOnError: false,
  });
  app.useGlobalPipes(
    new StandardSchemaValidationPipe({ validateCustomDecorators: true, exceptionFactory: problemOfIssues }),
  );
  app.useGlobalFilters(new ProblemFilter());
  await app.register(fastifyCookie);
  serveOpenApi(app);
  await servePage(app.getHttpAdapter().getInstance(), pageDirectory);
  await app.init();
  return app;
}
