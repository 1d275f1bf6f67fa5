import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type {} from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem.js';
import { ALLOW } from './allow.decorator.js';
import type { Permission } from './permissions.js';
import { readPodToken } from './pod-token.js';
import { rememberPrincipal, scopeOf, type Principal } from './principal.js';
import { ServerSecret } from './server-secret.js';
import { TokensService } from './tokens.service.js';

export const SESSION_COOKIE = 'berth_session';

/** The one place where a request gets its principal and where its role is asked. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokensService,
    private readonly secret: ServerSecret,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const permission = this.reflector.get<Permission | undefined>(ALLOW, context.getHandler());
    if (permission === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const principal = await this.identify(request);
    if (principal === undefined) {
      throw new Problem(401, {
        code: 'UNAUTHENTICATED',
        detail: 'Send a valid token as "Authorization: Bearer …"; `berth up` writes one to your configuration.',
      });
    }
    if (permission === undefined || scopeOf(principal, permission) === undefined) {
      const who = principal.kind === 'pod' ? 'A pod' : `The role ${principal.role}`;
      throw new Problem(403, { code: 'FORBIDDEN', detail: `${who} lacks ${permission ?? 'any permission here'}.` });
    }
    rememberPrincipal(request, principal);
    return true;
  }

  private async identify(request: FastifyRequest): Promise<Principal | undefined> {
    const [scheme, bearer] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() === 'bearer' && bearer !== undefined) {
      return readPodToken(this.secret.value, bearer) ?? this.tokens.read(bearer, ['access', 'session']);
    }
    const session = request.cookies[SESSION_COOKIE];
    if (session === undefined || !isSameOrigin(request)) return undefined;
    return this.tokens.read(session, ['session']);
  }
}

/** The cookie is SameSite=Strict; a browser that says otherwise is not believed either. */
function isSameOrigin(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none';
}
