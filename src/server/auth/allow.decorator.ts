import { SetMetadata, applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse } from '@nestjs/swagger';
import { ProblemSchema } from '../problem.schema.js';
import type { Permission } from './permissions.js';

export const ALLOW = 'berth:allow';

/** Declares what a route needs; a route without it is refused, and a test names it. */
export function Allow(permission: Permission): MethodDecorator {
  const problems = ApiDefaultResponse({ description: 'A problem document (RFC 9457).', standardSchema: ProblemSchema });
  return permission === 'public'
    ? applyDecorators(SetMetadata(ALLOW, permission), problems)
    : applyDecorators(SetMetadata(ALLOW, permission), ApiBearerAuth(), problems);
}
