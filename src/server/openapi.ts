import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { INestApplication } from '@nestjs/common';

export const OPENAPI_VERSION = '0.1.0';

/** The document of all routes, made from their zod schemas. */
export function openApiOf(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Berth')
    .setDescription('Capacity planner and cluster scheduler for GPUs and TPUs. Errors are RFC 9457 problem documents.')
    .setVersion(OPENAPI_VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** `/openapi.json`, and a page to try it at `/docs`. */
export function serveOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiOf(app), { jsonDocumentUrl: 'openapi.json', yamlDocumentUrl: '' });
}
