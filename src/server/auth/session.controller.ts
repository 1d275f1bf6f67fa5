import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type {} from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import { Problem } from '../problem.js';
import { Allow } from './allow.decorator.js';
import { SESSION_COOKIE } from './auth.guard.js';
import { CurrentUser, type User } from './principal.js';
import {
  CreateSessionSchema,
  SessionCodeSchema,
  SessionSchema,
  type CreateSession,
  type Session,
  type SessionCode,
} from './session.schema.js';
import { SESSION_SECONDS, TokensService } from './tokens.service.js';

@ApiTags('session')
@Controller('v1/session')
export class SessionController {
  constructor(private readonly tokens: TokensService) {}

  /** Swaps the one-time code of a link for a cookie that scripts cannot read. */
  @Post()
  @Allow('public')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: SessionSchema })
  async create(
    @Body({ schema: CreateSessionSchema }) body: CreateSession,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const swapped = await this.tokens.swapCode(body.code);
    if (swapped === undefined) {
      throw new Problem(401, {
        code: 'UNAUTHENTICATED',
        detail: 'This link was used or has expired: run `berth dashboard` for a new one.',
      });
    }
    void reply.setCookie(SESSION_COOKIE, swapped.session.secret, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      maxAge: SESSION_SECONDS,
    });
    return sessionOf(swapped.user);
  }

  @Get()
  @Allow('session:read')
  @ApiOkResponse({ standardSchema: SessionSchema })
  read(@CurrentUser() user: User): Session {
    return sessionOf(user);
  }

  /** A one-time code for the page: `/#code=…`. */
  @Post('codes')
  @Allow('session:code')
  @ApiCreatedResponse({ standardSchema: SessionCodeSchema })
  async code(@CurrentUser() user: User): Promise<SessionCode> {
    const { secret, expiresAt } = await this.tokens.issueCode(user);
    return { code: secret, expiresAt: (expiresAt ?? new Date()).toISOString() };
  }
}

function sessionOf({ name, role, team }: User): Session {
  return { name, role, ...(team === undefined ? {} : { team }) };
}
