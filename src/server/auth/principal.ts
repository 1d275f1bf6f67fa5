import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GRANTS, type Permission, type Role, type Scope } from './permissions.js';

/** Somebody with a token. */
export interface User {
  readonly kind: 'user';
  readonly tokenId: string;
  readonly name: string;
  readonly role: Role;
  readonly team: string | undefined;
}

/** One pod of one incarnation, by its status token. */
export interface PodIdentity {
  readonly kind: 'pod';
  readonly workload: string;
  readonly incarnation: number;
  readonly pod: string;
}

export type Principal = User | PodIdentity;

/** How far a permission of the caller reaches; `undefined`: not at all. */
export function scopeOf(principal: Principal, permission: Permission): Scope | undefined {
  if (principal.kind === 'pod') return permission === 'status:report' ? 'team' : undefined;
  return GRANTS[principal.role][permission];
}

/** May the caller touch what `maker` made for `team`? The query must ask this, too, not only the guard. */
export function reaches(user: User, permission: Permission, { team, maker }: Belonging): boolean {
  switch (scopeOf(user, permission)) {
    case 'all':
      return true;
    case 'team':
      return user.team === team;
    case 'own':
      return user.team === team && user.name === maker;
    case undefined:
      return false;
  }
}

interface Belonging {
  readonly team: string;
  readonly maker: string;
}

/** The team that a list is limited to; `undefined`: none. */
export function teamFilter(user: User, permission: Permission): string | undefined {
  return scopeOf(user, permission) === 'all' ? undefined : (user.team ?? '');
}

const principals = new WeakMap<object, Principal>();

export function rememberPrincipal(request: FastifyRequest, principal: Principal): void {
  principals.set(request, principal);
}

function principalOf(context: ExecutionContext): Principal {
  const principal = principals.get(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === undefined) throw new Error('the guard has let a request pass without a principal');
  return principal;
}

/** The caller of a route that people use. */
export const CurrentUser = createParamDecorator((_data: unknown, context: ExecutionContext): User => {
  const principal = principalOf(context);
  if (principal.kind !== 'user') throw new Error('a pod reached a route for users');
  return principal;
});

/** The caller of a route that pods use. */
export const CurrentPod = createParamDecorator((_data: unknown, context: ExecutionContext): PodIdentity => {
  const principal = principalOf(context);
  if (principal.kind !== 'pod') throw new Error('a user reached a route for pods');
  return principal;
});
