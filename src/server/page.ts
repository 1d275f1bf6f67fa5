import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const IMMUTABLE = 'public, max-age=31536000, immutable';
const PAGE_CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

/**
 * Serves the dashboard: its files, and the page itself for every path that a person may type. Unknown API paths and
 * missing assets stay 404, which a blanket fallback would hide.
 */
export async function servePage(server: FastifyInstance, directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  await server.register(fastifyStatic, {
    root: directory,
    wildcard: false,
    index: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('cache-control', path.includes('/assets/') ? IMMUTABLE : 'no-cache');
      reply.header('content-security-policy', PAGE_CSP);
      reply.header('x-content-type-options', 'nosniff');
    },
  });
  server.get('/*', (request: FastifyRequest, reply: FastifyReply) => {
    if (!wantsPage(request)) {
      reply.callNotFound();
      return reply;
    }
    return reply.sendFile('index.html');
  });
}

function wantsPage({ url, headers }: FastifyRequest): boolean {
  const path = url.split('?')[0] ?? '/';
  return (headers.accept ?? '').includes('text/html') && !path.startsWith('/v1/') && extname(path) === '';
}
