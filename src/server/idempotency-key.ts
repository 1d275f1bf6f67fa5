import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Same key and body: same answer, also after a crash. Same key, other body: 422. */
export const IdempotencyKeySchema = z
  .string()
  .min(8, 'the header Idempotency-Key must have 8 to 200 characters')
  .max(200, 'the header Idempotency-Key must have 8 to 200 characters')
  .optional();

export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext): unknown => {
  return context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'];
});
